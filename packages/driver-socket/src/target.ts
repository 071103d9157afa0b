import { formatRunnerUrl, readOptions, RunnerError, type OptionSpec, type RunnerTarget, type RunnerUrl } from "@anyrunner/core/driver";

/** What a `unix://`, `tcp://`, `tls://` or `npipe://` URL means. */
export interface SocketTarget extends RunnerTarget {
  readonly driver: "socket";
  readonly address: SocketAddress;
}

/** Where an engine listens. */
export type SocketAddress =
  /** A path as written; a leading `@` is Linux's abstract namespace. */
  | { readonly kind: "unix"; readonly path: string }
  /** An IPv6 address stands without brackets. */
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number }
  | TlsAddress
  /** A path as Windows has it: `\\.\pipe\name`. */
  | { readonly kind: "npipe"; readonly path: string };

/** A TCP port behind TLS. Files are named, not held: they are read anew for each dial, so that renewed ones count at once. */
export type TlsAddress = {
  readonly kind: "tls";
  readonly hostname: string;
  readonly port: number;
  /** Authorities in PEM that are trusted instead of the system's. */
  readonly caPath?: string;
  /** The client's certificate and key in PEM: both or neither. */
  readonly certPath?: string;
  readonly keyPath?: string;
  /** What the server's certificate must be made out to, when that isn't `hostname`. */
  readonly serverName?: string;
};

/** Of `tls://` alone; the others take none: what follows `://` is the address, verbatim (engine protocol 1.3). */
export const SOCKET_OPTIONS = [
  { name: "ca_path", type: "string", help: "tls://: PEM file of the authorities to trust, instead of the system's" },
  { name: "cert_path", type: "string", help: "tls://: PEM file of the client certificate; needs key_path" },
  { name: "key_path", type: "string", help: "tls://: PEM file of the client certificate's key; needs cert_path" },
  { name: "server_name", type: "string", help: "tls://: the name that the server's certificate must have, when it isn't the host of the URL" },
] as const satisfies readonly OptionSpec[];

/** The official client's. */
const DEFAULT_TLS_PORT = 443;

/** `sun_path` of the kernels without its closing zero. */
const MAX_PATH_BYTES = process.platform === "darwin" ? 103 : 107;

/** Understands the URL. Fails with INVALID_URL, INVALID_OPTION. */
export function parseSocketTarget(url: RunnerUrl): SocketTarget {
  return { driver: "socket", url: formatRunnerUrl(url), address: parseAddress(url) };
}

/** The address as a URL without parameters; fit for messages. */
export function formatSocketAddress(address: SocketAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  if (address.kind === "npipe") return `npipe://${address.path.replaceAll("\\", "/")}`;
  return `${address.kind}://${address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname}:${address.port}`;
}

function parseAddress(url: RunnerUrl): SocketAddress {
  if (url.scheme === "tls") return parseTls(url);
  readOptions(url, []);
  switch (url.scheme) {
    case "unix":
      return parseUnix(url);
    case "npipe":
      return parsePipe(url);
    default:
      return { kind: "tcp", ...parseHostAndPort(url) };
  }
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

/** BuildKit's grammar (engine protocol 2.2): all that stands behind `://` is the path, with slashes for backslashes. */
function parsePipe(url: RunnerUrl): SocketAddress {
  const path = url.body.replaceAll("/", "\\");
  if (!/^\\\\[^\\]+\\pipe\\[^\\]/i.test(path)) throw invalid(url, "it names no pipe", "write npipe:////./pipe/NAME");
  return { kind: "npipe", path };
}

function parseTls(url: RunnerUrl): TlsAddress {
  const { ca_path: caPath, cert_path: certPath, key_path: keyPath, server_name: serverName } = readOptions(url, SOCKET_OPTIONS);
  const files = { ca_path: caPath, cert_path: certPath, key_path: keyPath, server_name: serverName };
  for (const [name, value] of Object.entries(files)) {
    if (value === "") throw wrongOption(name, "it is empty", "give it a value, or leave it out");
  }
  if ((certPath === undefined) !== (keyPath === undefined)) {
    const [given, missing] = certPath === undefined ? ["key_path", "cert_path"] : ["cert_path", "key_path"];
    throw wrongOption(given, `it needs ${missing}`, "give both cert_path and key_path, or neither");
  }
  return {
    kind: "tls",
    ...parseHostAndPort(url, DEFAULT_TLS_PORT),
    ...(caPath === undefined ? {} : { caPath }),
    ...(certPath === undefined || keyPath === undefined ? {} : { certPath, keyPath }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

function parseHostAndPort(url: RunnerUrl, defaultPort?: number): { readonly hostname: string; readonly port: number } {
  const { scheme } = url;
  const written = `${scheme}://HOST${defaultPort === undefined ? ":PORT" : "[:PORT]"}`;
  if (url.body.includes("@")) throw invalid(url, `${scheme}:// takes no user name or password`, `write ${written}`);
  const match = /^(\[[0-9a-f:.]+(?:%[\w.-]+)?\]|[^:/[\]]+)(?::(\d+))?$/i.exec(url.body);
  if (match === null)
    throw invalid(url, `it is no ${defaultPort === undefined ? "HOST:PORT" : "HOST[:PORT]"}`, `write ${written}, an IPv6 address in brackets`);
  const [, host = "", portText] = match;
  // For tcp:// the official client has no default port either.
  if (portText === undefined && defaultPort === undefined) throw invalid(url, "it names no port", `write ${scheme}://${host}:PORT`);
  const port = portText === undefined ? (defaultPort as number) : Number(portText);
  if (port < 1 || port > 65_535) throw invalid(url, `${portText} is no port`, "ports go from 1 to 65535");
  return { hostname: host.replace(/^\[(.*)\]$/, "$1"), port };
}

function invalid(url: RunnerUrl, reason: string, hint: string): RunnerError {
  return new RunnerError("INVALID_URL", `${formatRunnerUrl(url)} can't be understood: ${reason}`, { hint, driver: "socket" });
}

function wrongOption(name: string, reason: string, hint: string): RunnerError {
  return new RunnerError("INVALID_OPTION", `parameter "${name}" of tls:// is wrong: ${reason}`, { hint, driver: "socket", details: { parameter: name } });
}
