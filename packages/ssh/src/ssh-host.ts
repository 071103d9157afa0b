/** Whom ssh is asked to reach; the rest is in the user's configuration of ssh, where `host` may be an alias. */
export type SshHost = {
  /** Name, alias or address; an IPv6 address without brackets. */
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
};

export function sameHost(host: SshHost): string {
  return JSON.stringify([host.user ?? "", host.host, host.port ?? 0]);
}

/** For messages: `user@host:port`, as far as it is known. */
export function formatSshHost({ host, user, port }: SshHost): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `${user === undefined ? "" : `${user}@`}${name}${port === undefined ? "" : `:${port}`}`;
}

/** The end of ssh's arguments; nothing of it can be taken for an option. */
export function destinationArguments({ host, user, port }: SshHost): readonly string[] {
  return [...(user === undefined ? [] : ["-l", user]), ...(port === undefined ? [] : ["-p", String(port)]), "--", host];
}
