import { RunnerError } from "@anyrunner/core";

/** How a Docker host is dialled. */
export type DockerAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "npipe"; readonly path: string }
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number; readonly basePath: string }
  | { readonly kind: "ssh"; readonly url: string };

const DEFAULT_SOCKET = "/var/run/docker.sock";
const DEFAULT_PIPE = "//./pipe/docker_engine";
const DEFAULT_PORT = 2375;

/** What the docker CLI dials when nothing is configured; `tls` is what `DOCKER_TLS_VERIFY` without a host means. */
export function defaultDockerHost(options: { readonly platform: NodeJS.Platform; readonly tls: boolean }): string {
  if (options.tls) return "tcp://localhost:2376";
  return options.platform === "win32" ? `npipe://${DEFAULT_PIPE}` : `unix://${DEFAULT_SOCKET}`;
}

/**
 * Understands a Docker host as the docker CLI does (docker/cli opts/hosts.go): without `://` it is TCP, an absent TCP host is
 * localhost, an absent port 2375, an absent path the default socket. Fails with INVALID_CONFIG.
 */
export function parseDockerHost(text: string): DockerAddress {
  const host = text.trim();
  const separator = host.indexOf("://");
  const scheme = separator < 0 ? "tcp" : host.slice(0, separator);
  const address = separator < 0 ? host : host.slice(separator + 3);
  switch (scheme) {
    case "unix":
      return { kind: "unix", path: address === "" ? DEFAULT_SOCKET : address };
    case "npipe":
      return { kind: "npipe", path: (address === "" ? DEFAULT_PIPE : address).replaceAll("/", "\\") };
    case "tcp":
      return parseTcp(host, address);
    case "ssh":
      if (/^[^/@]*:[^/@]*@/.test(address)) throw invalid(host, "it has a password", "leave it out and use a key or an agent");
      return { kind: "ssh", url: host };
    default:
      throw invalid(host, `"${scheme}" is no way to reach a Docker daemon`, "use unix://, tcp://, ssh:// or npipe://");
  }
}

/** The address as a Docker host again, complete; fit for messages. */
export function formatDockerAddress(address: DockerAddress): string {
  switch (address.kind) {
    case "unix":
      return `unix://${address.path}`;
    case "npipe":
      return `npipe://${address.path.replaceAll("\\", "/")}`;
    case "tcp":
      return `tcp://${address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname}:${address.port}${address.basePath}`;
    case "ssh":
      return address.url;
  }
}

function parseTcp(host: string, address: string): DockerAddress {
  const match = /^(\[[^\]]+\]|[^:/?#@[\]]*)(?::(\d{1,5}))?(\/[^?#]*)?$/.exec(address);
  if (match === null) throw invalid(host, "it is no host:port", "write tcp://HOST:PORT");
  const port = match[2] === undefined ? DEFAULT_PORT : Number(match[2]);
  if (port < 1 || port > 65_535) throw invalid(host, `${port} is no port`);
  const hostname = (match[1] ?? "").replace(/^\[(.*)\]$/, "$1");
  return { kind: "tcp", hostname: hostname === "" ? "localhost" : hostname, port, basePath: (match[3] ?? "").replace(/\/+$/, "") };
}

function invalid(host: string, reason: string, hint?: string): RunnerError {
  return new RunnerError("INVALID_CONFIG", `the Docker host "${host.replace(/\/\/[^@/]*@/, "//***@")}" can't be used: ${reason}`, { hint });
}
