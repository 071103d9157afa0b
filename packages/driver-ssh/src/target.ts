import { formatRunnerUrl, readOptions, RunnerError, type OptionSpec, type RunnerTarget, type RunnerUrl } from "@anyrunner/core/driver";
import { parseSshHost, type SshHost } from "@anyrunner/ssh";

/** What an `ssh://` URL means. */
export interface SshTarget extends RunnerTarget {
  readonly driver: "ssh";
  readonly address: SshAddress;
}

export type SshAddress = {
  /** As ssh is given it; may be an alias of the user's ssh configuration. */
  readonly host: SshHost;
  /** The engine's socket on the host; absent when the URL names none. */
  readonly socket?: string;
};

/** As with the official client there are none (engine protocol 2.1): keys and hops belong into ssh's own configuration. */
export const SSH_OPTIONS = [] as const satisfies readonly OptionSpec[];

/** Where an engine listens in its own image and by its installers. */
export const DEFAULT_SOCKET = "/run/dagger/engine.sock";

/** Understands the URL. Fails with INVALID_URL, INVALID_OPTION. */
export function parseSshTarget(url: RunnerUrl): SshTarget {
  readOptions(url, SSH_OPTIONS);
  const slash = url.body.indexOf("/");
  const authority = slash < 0 ? url.body : url.body.slice(0, slash);
  const socket = slash < 0 ? "/" : url.body.slice(slash);
  const host = parseSshHost(authority);
  if ("problem" in host) throw invalid(url, host.problem, host.hint);
  return {
    driver: "ssh",
    url: formatRunnerUrl(url),
    address: {
      host,
      ...(socket === "/" ? {} : { socket: checkSocket(url, socket) }),
    },
  };
}

/** Neither a colon nor `${` can be told to ssh as part of a path. */
function checkSocket(url: RunnerUrl, socket: string): string {
  if (socket.endsWith("/")) throw invalid(url, "a socket's path has no slash at its end", "write ssh://HOST/path/of/the.sock");
  if (socket.includes(":") || socket.includes("${"))
    throw invalid(url, "ssh forwards no path with a colon or a ${ in it", "use a symbolic link of another name");
  if (Buffer.byteLength(socket) > 107) throw invalid(url, "the path is longer than a socket's may be", "use a shorter one, for example a symbolic link");
  return socket;
}

function invalid(url: RunnerUrl, reason: string, hint: string): RunnerError {
  return new RunnerError("INVALID_URL", `${formatRunnerUrl(url)} can't be understood: ${reason}`, { hint, driver: "ssh" });
}
