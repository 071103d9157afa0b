import { createServer, type AddressInfo, type Socket } from "node:net";

import { serveConformancePeer } from "./conformance-peer.ts";

/** The conformance peer behind a socket, for drivers that dial one. */
export interface ConformanceServer extends AsyncDisposable {
  /** `host:port`, or the path of the socket. */
  readonly address: string;
  /** Connections that are open at this end. */
  connectionCount(): number;
  /** Cuts every connection and stops listening, as a process that is killed. May be called more than once. */
  kill(): Promise<void>;
}

/**
 * Listens with `serveConformancePeer` on every connection: on the Unix socket `path`, else on `host` (127.0.0.1) and `port`
 * (one that is free). Any other option is a TypeError.
 */
export async function startConformanceServer(
  options: { readonly path?: string; readonly host?: string; readonly port?: number } = {},
): Promise<ConformanceServer> {
  const { path, host = "127.0.0.1", port = 0, ...unknown } = options;
  const [key] = Object.keys(unknown);
  if (key !== undefined) throw new TypeError(`startConformanceServer has no option "${key}"; there are path, host and port`);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    void serveConformancePeer(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path === undefined ? { host, port } : { path }, resolve);
  });

  const kill = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening)
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
  };
  return {
    address: path ?? hostAndPort(server.address() as AddressInfo),
    connectionCount: () => sockets.size,
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

function hostAndPort({ address, port, family }: AddressInfo): string {
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
