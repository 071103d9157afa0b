import { formatRunnerUrl, readOptions, RunnerError, type OptionSpec, type RunnerTarget, type RunnerUrl } from "@anyrunner/core";

/** What a `unix://` or `tcp://` URL means. */
export interface SocketTarget extends RunnerTarget {
  readonly driver: "socket";
  readonly address: SocketAddress;
}

export type SocketAddress =
  /** A path as written; a leading `@` is Linux's abstract namespace. */
  | { readonly kind: "unix"; readonly path: string }
  /** An IPv6 address stands without brackets. */
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number };

/** The official client knows none for these schemes: what follows `://` is the address, verbatim (engine protocol 1.3). */
export const SOCKET_OPTIONS = [] as const satisfies readonly OptionSpec[];

/** `sun_path` of the kernels without its closing zero. */
const MAX_PATH_BYTES = process.platform === "darwin" ? 103 : 107;

/** Understands the URL. Fails with INVALID_URL, INVALID_OPTION. */
export function parseSocketTarget(url: RunnerUrl): SocketTarget {
  readOptions(url, SOCKET_OPTIONS);
  const address = url.scheme === "unix" ? parseUnix(url) : parseTcp(url);
  return { driver: "socket", url: formatRunnerUrl(url), address };
}

/** The address as a URL; fit for messages. */
export function formatSocketAddress(address: SocketAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  return `tcp://${address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname}:${address.port}`;
}

function parseUnix(url: RunnerUrl): SocketAddress {
  const path = url.body;
  if (path === "") throw invalid(url, "it names no socket", "write unix:///path/of/the.sock");
  if (/^[^/]*:[^/]*@/.test(path)) throw invalid(url, "unix:// takes no user name or password", "write unix:///path/of/the.sock");
  if (path.endsWith("/")) throw invalid(url, "a socket's path has no slash at its end", "write unix:///path/of/the.sock");
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw invalid(
      url,
      `the path has ${Buffer.byteLength(path)} bytes; the system takes ${MAX_PATH_BYTES}`,
      "use a shorter path, for example a symbolic link in /tmp",
    );
  }
  return { kind: "unix", path };
}

function parseTcp(url: RunnerUrl): SocketAddress {
  if (url.body.includes("@")) throw invalid(url, "tcp:// takes no user name or password", "write tcp://HOST:PORT");
  const match = /^(\[[0-9a-f:.]+(?:%[\w.-]+)?\]|[^:/[\]]+)(?::(\d+))?$/i.exec(url.body);
  if (match === null) throw invalid(url, "it is no HOST:PORT", "write tcp://HOST:PORT, an IPv6 address in brackets");
  const [, host = "", portText] = match;
  // The official client has no default port either.
  if (portText === undefined) throw invalid(url, "it names no port", `write tcp://${host}:PORT`);
  const port = Number(portText);
  if (port < 1 || port > 65_535) throw invalid(url, `${portText} is no port`, "ports go from 1 to 65535");
  return { kind: "tcp", hostname: host.replace(/^\[(.*)\]$/, "$1"), port };
}

function invalid(url: RunnerUrl, reason: string, hint: string): RunnerError {
  return new RunnerError("INVALID_URL", `${formatRunnerUrl(url)} can't be understood: ${reason}`, { hint, driver: "socket" });
}
