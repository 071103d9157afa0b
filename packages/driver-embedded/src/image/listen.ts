import { chmod, rm } from "node:fs/promises";
import { createServer, type AddressInfo, type Socket } from "node:net";

import { RunnerError } from "@anyrunner/core/driver";

export type ListenAddress = { readonly path: string } | { readonly host: string; readonly port: number };

export interface Listener {
  /** As clients name it. */
  readonly url: string;
  /** Accepts no more and ends what is connected. */
  close(): Promise<void>;
}

/** `unix:///path` or `tcp://host:port`. Fails with USAGE. */
export function parseListenAddress(text: string): ListenAddress {
  const path = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { path };
  const [, host = "", port = ""] = /^tcp:\/\/(\[[^\]]+\]|[^:/]+):(\d+)$/.exec(text) ?? [];
  if (host === "" || Number(port) > 65_535)
    throw new RunnerError("USAGE", `${text} is no address to listen on`, { hint: "give unix:///path or tcp://host:port" });
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/** Listens. A socket file of a process that is gone makes way; in a container nobody else could own it. */
export async function listenFor(address: ListenAddress, serve: (socket: Socket) => void): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
    serve(socket);
  });
  if ("path" in address) await rm(address.path, { force: true });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(address, resolve));
  if ("path" in address) await chmod(address.path, 0o600);
  const url = "path" in address ? `unix://${address.path}` : `tcp://${address.host}:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
