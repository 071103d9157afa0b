import { formatRunnerUrl, readOptions, RunnerError, type OptionSpec, type RunnerTarget, type RunnerUrl } from "@anyrunner/core";
import type { SshHost } from "@anyrunner/ssh";

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

const USER = /^[A-Za-z0-9_.][\w.@\\+-]*$/;
const HOST = /^[A-Za-z0-9_.][\w.-]*$/;
const IPV6 = /^\[([0-9a-f:.]+(?:%[\w.-]+)?)\]$/i;

/** Understands the URL. Fails with INVALID_URL, INVALID_OPTION. */
export function parseSshTarget(url: RunnerUrl): SshTarget {
  readOptions(url, SSH_OPTIONS);
  const slash = url.body.indexOf("/");
  const authority = slash < 0 ? url.body : url.body.slice(0, slash);
  const socket = slash < 0 ? "/" : url.body.slice(slash);
  const at = authority.lastIndexOf("@");
  const user = at < 0 ? undefined : authority.slice(0, at);
  if (user?.includes(":")) throw invalid(url, "it has a password", "leave it out and use a key or an agent");
  if (user !== undefined && !USER.test(user)) throw invalid(url, "what stands before the @ is no user name", "write ssh://USER@HOST");
  const { host, port } = parseHost(url, authority.slice(at + 1));
  return {
    driver: "ssh",
    url: formatRunnerUrl(url),
    address: {
      host: { host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) },
      ...(socket === "/" ? {} : { socket: checkSocket(url, socket) }),
    },
  };
}

function parseHost(url: RunnerUrl, text: string): { readonly host: string; readonly port: number | undefined } {
  const [, name = "", portText] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(text) ?? [];
  const host = IPV6.exec(name)?.[1] ?? name;
  if (name === "") throw invalid(url, "it names no host", "write ssh://[USER@]HOST[:PORT][/SOCKET]");
  // What begins with a dash would be an option to ssh.
  if (host === name && !HOST.test(host))
    throw invalid(url, `"${name}" is no host name`, "write a name of your ssh configuration, a host or an address, IPv6 in brackets");
  if (portText === undefined) return { host, port: undefined };
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) throw invalid(url, `"${portText}" is no port`, "ports go from 1 to 65535");
  return { host, port };
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
