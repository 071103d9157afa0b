import { isIP } from "node:net";

import { RunnerError } from "@anyrunner/core";

/** Where a server of ours accepts clients. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  /** An IPv6 address stands without brackets. Port 0: any free one. */
  | { readonly kind: "tcp" | "tls"; readonly host: string; readonly port: number };

/** `sun_path` of the kernels without its closing zero. */
export const MAX_SOCKET_PATH_BYTES = process.platform === "darwin" ? 103 : 107;

/** Understands `unix:///path`, `tcp://host:port` and `tls://host:port`. Fails with USAGE. */
export function parseListenUrl(text: string): ListenAddress {
  const path = /^unix:\/\/(\/.*[^/])$/s.exec(text)?.[1];
  if (path !== undefined) return { kind: "unix", path: checkedPath(path) };
  const [, kind, bracketed, host = bracketed, port = ""] = /^(tcp|tls):\/\/(?:\[([0-9a-f:.]+)\]|([^:/[\]?#@\s]+)):(\d{1,5})$/i.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535 || (bracketed !== undefined && isIP(bracketed) !== 6)) {
    throw new RunnerError("USAGE", `"${text}" is no address to listen on`, { hint: "give unix:///path, tcp://127.0.0.1:port or tls://host:port" });
  }
  return { kind: kind?.toLowerCase() as "tcp" | "tls", host, port: Number(port) };
}

/** The address as clients name it. */
export function formatListenUrl(address: ListenAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  return `${address.kind}://${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

function checkedPath(path: string): string {
  const bytes = Buffer.byteLength(path);
  if (path.includes("\0")) throw new RunnerError("USAGE", "a socket's path holds no zero byte", { hint: "use another path" });
  if (bytes <= MAX_SOCKET_PATH_BYTES) return path;
  throw new RunnerError("USAGE", `the path of the socket has ${bytes} bytes; the system takes ${MAX_SOCKET_PATH_BYTES}`, {
    hint: "use a shorter path, for example in /tmp",
  });
}
