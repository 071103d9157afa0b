import type { Duplex } from "node:stream";

import { RunnerError } from "@anyrunner/core";
import type { SshConnections, SshConnectionsSettings, SshHost } from "@anyrunner/ssh";

/** How Docker hosts by `ssh://` are dialled; default: by the system's ssh, in the user's configuration. */
export type DialDockerSsh = (url: string, options: { readonly signal?: AbortSignal | undefined }) => Promise<Duplex>;

const DEFAULT_SOCKET = "/var/run/docker.sock";
/** Questions to a daemon follow each other with pauses, and a login costs more than keeping a connection. */
const IDLE_MS = 1000;

/**
 * Makes the dialler of Docker hosts by `ssh://[USER@]HOST[:PORT][/SOCKET]`: the socket, forwarded over one ssh connection for each
 * host; where the server forwards none, or the daemon is elsewhere, `docker system dial-stdio` on the host, as the docker CLI does.
 * ssh is loaded with the first dial. It fails with INVALID_CONFIG, or as `SshConnections.dial` does.
 */
export function createDockerSshDialler(settings: SshConnectionsSettings = {}): DialDockerSsh {
  let connections: Promise<SshConnections> | undefined;
  return async (url, { signal }) => {
    const { createSshConnections, parseSshHost } = await import("@anyrunner/ssh");
    connections ??= Promise.resolve(createSshConnections({ idleMs: IDLE_MS, ...settings }));
    const { host, socket } = parseDockerSsh(url, parseSshHost);
    const relay = socket === undefined ? "docker system dial-stdio" : `docker --host ${quoted(`unix://${socket}`)} system dial-stdio`;
    const dialled = (await connections).dial(host, { remotePath: socket ?? DEFAULT_SOCKET, relayCommand: relay, signal });
    const { stream } = await dialled.catch((error: unknown) => {
      throw inWordsOfDocker(error, url);
    });
    return asSocket(stream);
  };
}

/** Shared by all clients of this process, so that they share connections. */
export const dialDockerSsh: DialDockerSsh = createDockerSshDialler();

function parseDockerSsh(
  url: string,
  parseSshHost: typeof import("@anyrunner/ssh").parseSshHost,
): { readonly host: SshHost; readonly socket: string | undefined } {
  const [, authority = "", path = ""] = /^ssh:\/\/([^/]*)(.*)$/.exec(url) ?? [];
  const host = parseSshHost(authority);
  if ("problem" in host) throw invalid(url, host.problem, host.hint);
  if (/[?#:]|\$\{/.test(path)) throw invalid(url, `"${path}" can't be the path of a socket`, "write ssh://[USER@]HOST[:PORT][/SOCKET]");
  return { host, socket: path === "" || path === "/" ? undefined : path };
}

/** ssh speaks of engines. */
function inWordsOfDocker(error: unknown, url: string): unknown {
  if (!RunnerError.is(error) || error.details?.["socket"] === undefined) return error;
  const hint =
    error.code === "PERMISSION_DENIED"
      ? "add your user on that host to the group that owns the socket (`sudo usermod -aG docker $USER`), or log in as another one"
      : "start the Docker daemon there, or name its socket: ssh://HOST/PATH/OF/THE.sock";
  return new RunnerError(error.code, `no Docker daemon can be reached at ${url}: ${error.message}`, {
    hint,
    cause: error,
    details: { ...error.details, host: url },
    retryable: error.retryable,
  });
}

/** What node's HTTP client asks of a socket, for a stream that is none. */
function asSocket(stream: Duplex): Duplex {
  const missing = { setKeepAlive: () => stream, setNoDelay: () => stream, setTimeout: () => stream, ref: () => stream, unref: () => stream };
  for (const [name, method] of Object.entries(missing)) {
    if (!(name in stream)) Object.defineProperty(stream, name, { value: method });
  }
  return stream;
}

function invalid(url: string, reason: string, hint: string): RunnerError {
  return new RunnerError("INVALID_CONFIG", `the Docker host "${url.replace(/\/\/[^@/]*@/, "//***@")}" can't be used: ${reason}`, { hint });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
