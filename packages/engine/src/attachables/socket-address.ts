import { GrpcError, GrpcStatus } from "@anyrunner/protocol";

/** Where a socket of this machine is, as the engine names it. */
export type SocketAddress =
  | { readonly network: "unix"; readonly path: string }
  | { readonly network: "tcp" | "udp"; readonly host: string; readonly port: number };

/**
 * Reads `unix:///path`, `tcp://host:port` or `udp://host:port`; the fragment that engines up to 0.20 append (a client's id) says nothing
 * here. Throws a GrpcError INVALID_ARGUMENT.
 */
export function parseSocketAddress(text: string): SocketAddress {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/i.exec(text);
  const scheme = match?.[1]?.toLowerCase() ?? "";
  if (match === null) throw invalid(text, "no URL");
  const [, , authority = "", path = ""] = match;
  if (scheme === "unix") return { network: "unix", path: decode(text, authority + path) };
  if (scheme !== "tcp" && scheme !== "udp") throw invalid(text, `unsupported scheme ${scheme}`);
  const ends = /^(?:\[(.*)\]|(.*)):(\d{1,5})$/.exec(authority);
  const port = Number(ends?.[3]);
  if (ends === null || port > 65_535) throw invalid(text, "no host and port");
  return { network: scheme, host: ends[1] || ends[2] || "localhost", port };
}

function decode(text: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw invalid(text, "a bad escape");
  }
}

function invalid(text: string, reason: string): GrpcError {
  return new GrpcError(GrpcStatus.INVALID_ARGUMENT, text === "" ? "id is not set" : `invalid socket "${text}": ${reason}`);
}
