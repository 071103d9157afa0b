import type { SshHost } from "./ssh-host.ts";
import type { SshMaster } from "./ssh-master.ts";
import type { Turnstile } from "./turnstile.ts";

/** What the streams to one host share. */
export interface SharedConnection {
  readonly host: SshHost;
  readonly master: Promise<SshMaster>;
  readonly starting: AbortController;
  users: number;
  idle?: NodeJS.Timeout;
  /** What streams pass while they open. */
  readonly opening: Turnstile;
  /** What sessions pass while they open: one at a time. */
  readonly sessions: Turnstile;
  /** Sessions that run a relay now. */
  commands: number;
  /** False once the host has said that it forwards no sockets. */
  forwards: boolean;
}

export interface SshDial {
  /** A Unix socket on the host; absolute. */
  readonly remotePath: string;
  /** Run on the host where its server forwards no sockets; passes standard input and output on to the socket. */
  readonly relayCommand: string;
  readonly signal?: AbortSignal | undefined;
}
