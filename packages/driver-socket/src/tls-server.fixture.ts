import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";

export interface TlsServer {
  readonly port: number;
  connectionCount(): number;
  /** Cuts every connection and stops listening. May be called more than once. */
  kill(): Promise<void>;
}

/** A TLS server with the certificates of `folder` (as `anyrunner certs create` makes them) that wants a client certificate. */
export async function startTlsServer({
  folder,
  onSocket,
  ...overrides
}: TlsOptions & { readonly folder: string; readonly onSocket: (socket: TLSSocket) => void }): Promise<TlsServer> {
  const [identity, authority] = await Promise.all(["server.pem", "ca.pem"].map((name) => readFile(join(folder, name))));
  // Those whose handshake fails, too: they would hold the server open.
  const sockets = new Set<Socket>();
  const server = createServer(
    {
      cert: identity,
      key: identity,
      ca: authority,
      requestCert: true,
      rejectUnauthorized: true,
      allowHalfOpen: true,
      // A client that leaves in the middle of it would be waited for, since it has only ended its half.
      handshakeTimeout: 5000,
      ...overrides,
    },
    (socket) => {
      socket.on("error", () => socket.destroy());
      onSocket(socket);
    },
  );
  // Node leaves a socket whose handshake failed to whoever listens here.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connectionCount: () => sockets.size,
    async kill() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}
