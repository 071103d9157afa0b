import { RunnerError, type ErrorCode } from "@anyrunner/core";

import { formatSshHost, type SshHost } from "./ssh-host.ts";

export interface SshFailure {
  readonly host: SshHost;
  /** 255 for everything that went wrong with the connection itself. */
  readonly exitCode?: number | undefined;
  /** What ssh wrote to standard error, without its debugging. */
  readonly stderr: string;
  /** The connection had been made. Default false. */
  readonly established?: boolean | undefined;
}

interface Rule {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly message: (where: string, match: RegExpExecArray) => string;
  readonly hint: string;
  readonly retryable?: boolean;
}

/** In this order, since ssh says several things about one failure. The texts are OpenSSH's; it has no other way to tell. */
const RULES: readonly Rule[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for \S+ has changed/i,
    code: "AUTH_FAILED",
    message: (where) => `the host key of ${where} is not the one that is known: it was changed, or someone is in between`,
    hint: "ask whoever runs the host; if the change is right, remove the old key with ssh-keygen -R HOST",
  },
  {
    pattern: /No \S+ host key is known for|Host key verification failed/i,
    code: "AUTH_FAILED",
    message: (where) => `the host key of ${where} is not known`,
    hint: "connect once by hand (ssh HOST), compare the key, and accept it",
  },
  {
    pattern: /Could not resolve hostname/i,
    code: "NAME_NOT_RESOLVED",
    message: (where) => `the host name in ssh://${where} has no address`,
    hint: "check the name, and the Host entries of your ssh configuration",
  },
  {
    pattern: /Permission denied \(([^)]*)\)/,
    code: "PERMISSION_DENIED",
    message: (where, match) => `${where} lets none of your keys in (it takes ${match[1]})`,
    hint: "add your key to the agent (ssh-add), name it in your ssh configuration, and authorize it on the host; nothing is asked here",
  },
  {
    pattern: /Too many authentication failures/i,
    code: "PERMISSION_DENIED",
    message: (where) => `${where} refused after too many keys`,
    hint: "name one key for the host in your ssh configuration: IdentityFile and IdentitiesOnly yes",
  },
  {
    pattern: /Bad owner or permissions on (\S+)|Bad configuration option|terminating, \d+ bad configuration|Can't open user config file/i,
    code: "INVALID_CONFIG",
    message: (where, match) => `your ssh configuration can't be used for ${where}: ${match[0]}`,
    hint: "mend it; ssh -G HOST shows what it makes of it",
  },
  {
    pattern: /Connection refused/i,
    code: "CONNECTION_REFUSED",
    message: (where) => `no ssh server listens at ${where}`,
    hint: "start it, or correct host and port",
  },
  {
    pattern: /No route to host|Network is unreachable/i,
    code: "CONNECTION_REFUSED",
    message: (where, match) => `${where} can't be reached: ${match[0].toLowerCase()}`,
    hint: "check the address and the network",
  },
  {
    pattern: /timed out|Timeout, server \S+ not responding/i,
    code: "TIMEOUT",
    message: (where) => `${where} does not answer ssh`,
    hint: "check the address, and whether a firewall drops packets",
    retryable: true,
  },
  {
    pattern: /Connection (closed|reset) by|kex_exchange_identification|Broken pipe/i,
    code: "CONNECTION_LOST",
    message: (where) => `${where} closed the ssh connection`,
    hint: "look at the log of its ssh server; it may allow too few connections at a time (MaxStartups)",
    retryable: true,
  },
];

/** Classifies how a connection of ssh ended, by its exit code and what it said. */
export function sshError({ host, exitCode, stderr, established = false }: SshFailure): RunnerError {
  const where = formatSshHost(host);
  const details = { host: where, ...(exitCode === undefined ? {} : { exitCode }) };
  if (exitCode === 127) {
    return new RunnerError("NOT_FOUND", 'program "ssh" was not found', { hint: "install OpenSSH's client, or put it on PATH", details: { program: "ssh" } });
  }
  for (const { pattern, code, message, hint, retryable } of RULES) {
    // What the last rule explains is a login that the server refused.
    if (established && code === "CONNECTION_LOST") continue;
    const match = pattern.exec(stderr);
    if (match !== null)
      return new RunnerError(code, message(where, match), { hint, retryable: retryable ?? false, details: { ...details, stderr: lastLines(stderr) } });
  }
  const said = lastLines(stderr);
  if (established) {
    return new RunnerError("CONNECTION_LOST", `the ssh connection to ${where} ended${said === "" ? "" : `: ${said}`}`, {
      hint: "check whether the host still runs",
      retryable: true,
      details: { ...details, stderr: said },
    });
  }
  return new RunnerError("COMMAND_FAILED", `ssh could not connect to ${where}${said === "" ? "" : `: ${said}`}`, {
    hint: "run ssh by hand to see more",
    details: { ...details, stderr: said },
  });
}

function lastLines(stderr: string): string {
  return stderr.trim().split(/\r?\n/).slice(-3).join("; ").slice(-500);
}
