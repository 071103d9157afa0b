import type { SshHost } from "./ssh-host.ts";

/** What is wrong with an authority, in words that follow a colon, and what to do. */
export interface SshHostProblem {
  readonly problem: string;
  readonly hint: string;
}

const USER = /^[A-Za-z0-9_.][\w.@\\+-]*$/;
const HOST = /^[A-Za-z0-9_.][\w.-]*$/;
const IPV6 = /^\[([0-9a-f:.]+(?:%[\w.-]+)?)\]$/i;

/** Understands `[USER@]HOST[:PORT]`; an IPv6 address stands in brackets. Nothing that it lets through can be taken for an option of ssh. */
export function parseSshHost(authority: string): SshHost | SshHostProblem {
  const at = authority.lastIndexOf("@");
  const user = at < 0 ? undefined : authority.slice(0, at);
  if (user?.includes(":")) return { problem: "it has a password", hint: "leave it out and use a key or an agent" };
  if (user !== undefined && !USER.test(user)) return { problem: "what stands before the @ is no user name", hint: "write ssh://USER@HOST" };
  const [, name = "", portText] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority.slice(at + 1)) ?? [];
  const host = IPV6.exec(name)?.[1] ?? name;
  if (name === "") return { problem: "it names no host", hint: "write ssh://[USER@]HOST[:PORT][/SOCKET]" };
  // What begins with a dash would be an option to ssh.
  if (host === name && !HOST.test(host))
    return { problem: `"${name}" is no host name`, hint: "write a name of your ssh configuration, a host or an address, IPv6 in brackets" };
  if (portText === undefined) return { host, ...(user === undefined ? {} : { user }) };
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) return { problem: `"${portText}" is no port`, hint: "ports go from 1 to 65535" };
  return { host, ...(user === undefined ? {} : { user }), port };
}
