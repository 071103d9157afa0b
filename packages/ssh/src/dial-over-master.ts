import { connect, type Socket } from "node:net";

import { abortedError, orAborted, RunnerError } from "@anyrunner/core";

import type { ChannelVerdict } from "./channel-log.ts";
import { openSession } from "./open-session.ts";
import type { SharedConnection, SshDial } from "./shared-connection.ts";
import { formatSshHost, type SshHost } from "./ssh-host.ts";
import type { SshMaster } from "./ssh-master.ts";
import { describeCommand, describeForward, type SshStream } from "./ssh-stream.ts";

/** The host's server forwards no sockets; a relay may still work. */
export class ForwardingRefusedError extends Error {}

/** Below sshd's default of ten sessions a connection (MaxSessions), with one left for a question. */
const MOST_COMMANDS = 9;

/** Opens a stream through a socket that ssh forwards. Resolves when the host has opened its end. */
export async function dialForward(
  { host, opening, sessions }: SharedConnection,
  master: SshMaster,
  { remotePath, relayCommand, signal }: SshDial,
): Promise<SshStream> {
  const local = await orAborted(master.forward(remotePath), signal);
  const { socket, verdict } = await opening(() => connectForwarded(master, { local, remotePath, signal, host }), signal);
  if (verdict.opened) return describeForward(socket, { host, remotePath, master });
  socket.destroy();
  if (/prohibited|unknown channel type/i.test(verdict.reason)) throw new ForwardingRefusedError(verdict.reason);
  const refusal = { remotePath, relayCommand, reason: verdict.reason };
  throw await orAborted(
    sessions(() => explainRefusal(host, master, refusal), undefined),
    signal,
  );
}

/** Runs the relay in a session of its own. Fails with CONNECTION_REFUSED when there are too many already. */
export async function dialCommand(shared: SharedConnection, master: SshMaster, { remotePath, relayCommand, signal }: SshDial): Promise<SshStream> {
  const { host } = shared;
  if (shared.commands >= MOST_COMMANDS) {
    throw new RunnerError("CONNECTION_REFUSED", `${formatSshHost(host)} forwards no sockets, and ${MOST_COMMANDS} relays run over the ssh connection already`, {
      hint: "allow socket forwarding there: AllowStreamLocalForwarding yes in its sshd_config",
    });
  }
  shared.commands++;
  try {
    const program = await shared.sessions(() => openSession(host, master, { commandLine: relayCommand, signal }), signal);
    const stream = describeCommand(program, { host, remotePath, master });
    void stream.closed.then(() => shared.commands--);
    return stream;
  } catch (error) {
    shared.commands--;
    throw error;
  }
}

interface Forwarded {
  readonly local: string;
  readonly remotePath: string;
  readonly signal: AbortSignal | undefined;
  readonly host: SshHost;
}

function connectForwarded(
  master: SshMaster,
  { local, remotePath, signal, host }: Forwarded,
): Promise<{ readonly socket: Socket; readonly verdict: ChannelVerdict }> {
  return new Promise((resolve, reject) => {
    // The announcement comes in the same turn as the connection, so that the order of both is the same.
    const socket = connect({ path: local });
    // One that was refused may break after nobody waits for it any more.
    socket.on("error", () => {});
    let connected = false;
    let forget = () => {};
    const settle = (then: () => void) => {
      forget();
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      then();
    };
    const takeBack = master.channels.works ? master.channels.expect(remotePath, (verdict) => settle(() => resolve({ socket, verdict }))) : () => {};
    const fail = (error: unknown) => {
      if (!connected) takeBack();
      settle(() => reject(error));
      socket.destroy();
    };
    const onAbort = () => fail(abortedError(signal as AbortSignal));
    const onError = (error: Error) => {
      // ssh closes the socket of a stream that was refused; why, its log says in a moment.
      if (!connected || !master.channels.works) fail(lost(host, error));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("error", onError);
    socket.once("connect", () => {
      connected = true;
      if (!master.channels.works) settle(() => resolve({ socket, verdict: { opened: true } }));
    });
    forget = master.onEnd(({ reason }) => fail(reason ?? lost(host, undefined)));
  });
}

function lost(host: SshHost, cause: unknown): RunnerError {
  return new RunnerError("CONNECTION_LOST", `the ssh connection to ${formatSshHost(host)} has ended`, { cause, hint: "try again", retryable: true });
}

interface Refusal {
  readonly remotePath: string;
  readonly relayCommand: string;
  /** In sshd's words, which are the same for a socket that is missing and for forwarding that is switched off. */
  readonly reason: string;
}

/** The host's shell can say what its sshd doesn't, where one may be used: whether a relay gets through, else what is wrong with the socket. */
async function explainRefusal(host: SshHost, master: SshMaster, { remotePath, relayCommand, reason }: Refusal): Promise<Error> {
  const path = quoted(remotePath);
  const question = `${relayCommand} </dev/null >/dev/null 2>&1 && exit 40; test -e ${path} || exit 41; test -S ${path} || exit 42; test -w ${path} || exit 43; exit 44`;
  const { exitCode } = await master.runCommand(`exec sh -c ${quoted(question)}`).catch(() => ({ exitCode: 255 }));
  const where = formatSshHost(host);
  const details = { host: where, socket: remotePath, reason };
  switch (exitCode) {
    case 40:
      return new ForwardingRefusedError(reason);
    case 41:
      return new RunnerError("NOT_FOUND", `there is no socket at ${remotePath} on ${where}`, {
        hint: "start the engine there, or name its socket in the URL",
        details,
      });
    case 42:
      return new RunnerError("NOT_FOUND", `what is at ${remotePath} on ${where} is no socket`, { hint: "name the engine's socket in the URL", details });
    case 43:
      return new RunnerError("PERMISSION_DENIED", `your user on ${where} may not use ${remotePath}`, {
        hint: "give it read and write access, or log in as the socket's owner",
        details,
      });
    case 44:
      return new RunnerError("CONNECTION_REFUSED", `nothing answers at ${remotePath} on ${where}`, {
        hint: "start the engine there; if it runs, allow AllowStreamLocalForwarding in its sshd_config",
        details,
      });
    default:
      return new RunnerError("NOT_FOUND", `${where} could not open ${remotePath}`, {
        hint: "check that an engine listens there and that your user may use its socket",
        details,
      });
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
