import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { RunnerError, type CloseReason, type ConnectionDiagnostics } from "@anyrunner/core";
import type { ProgramEnd, ProgramStream } from "@anyrunner/exec";

import { formatSshHost, type SshHost } from "./ssh-host.ts";
import type { MasterEnd, SshMaster } from "./ssh-master.ts";

/** One stream over the shared connection. Destroying it releases its share. */
export interface SshStream {
  readonly stream: Duplex;
  /** `forward`: ssh forwards a socket. `command`: a program on the host passes bytes on. */
  readonly via: "forward" | "command";
  readonly closed: Promise<CloseReason>;
  diagnostics(): Promise<ConnectionDiagnostics>;
}

export interface DescribeStream {
  readonly host: SshHost;
  readonly remotePath: string;
  readonly master: Pick<SshMaster, "end" | "onEnd" | "stderrTail">;
}

/** A stream through a forwarded socket. */
export function describeForward(socket: Socket, { host, remotePath, master }: DescribeStream): SshStream {
  const where = formatSshHost(host);
  let reason: CloseReason | undefined;
  const closed = watchStream(socket, () => endingOf(master)).then((found) => (reason = found));
  return {
    stream: socket,
    via: "forward",
    closed,
    async diagnostics() {
      // The stream ends a moment before the connection is known to have.
      if (socket.closed) await endingOf(master);
      if (master.end !== undefined) return { summary: endOf(where, master.end) };
      return { summary: `${remotePath} on ${where}, forwarded by ssh, ${stateOf(reason)}`, ...lastOutput(master.stderrTail()) };
    },
  };
}

/** A stream through a program on the host. */
export function describeCommand(program: ProgramStream, { host, master }: DescribeStream): SshStream {
  const where = formatSshHost(host);
  let end: ProgramEnd | undefined;
  let reason: CloseReason | undefined;
  void program.exited.then((found) => (end = found));
  const closed = watchStream(program.stream, async () => {
    const error = commandError(where, end, program.stderrTail());
    // A relay that was cut off says only that; the connection knows why.
    return error === undefined ? undefined : ((await endingOf(master)) ?? error);
  }).then((found) => (reason = found));
  return {
    stream: program.stream,
    via: "command",
    closed,
    async diagnostics() {
      if (program.stream.closed) await endingOf(master);
      if (master.end !== undefined) return { summary: endOf(where, master.end) };
      return {
        summary: `the relay on ${where} ${stateOf(reason)}`,
        ...(end?.exitCode === undefined ? {} : { exitCode: end.exitCode }),
        ...lastOutput(program.stderrTail() || master.stderrTail()),
      };
    },
  };
}

/** `whyLost` is asked for a stream that ended other than by us; without an answer the far end simply finished. */
function watchStream(stream: Duplex, whyLost: () => Promise<RunnerError | undefined>): Promise<CloseReason> {
  return new Promise((resolve) => {
    let failure: Error | undefined;
    let ended = false;
    stream.on("error", (error) => (failure = error));
    stream.once("end", () => (ended = true));
    stream.once("close", () => {
      if (!ended && failure === undefined) return resolve({ kind: "local" });
      void whyLost().then((known) => {
        const error =
          known ??
          (failure === undefined ? undefined : RunnerError.from(failure, "CONNECTION_LOST", { retryable: true, hint: "check whether the engine still runs" }));
        resolve(error === undefined ? { kind: "end" } : { kind: "error", error });
      });
    });
  });
}

const ENDING_MS = 50;

/** Why the connection ended, if it did: when ssh ends, its sockets end first, and a moment later it is known. */
export function endingOf(master: Pick<SshMaster, "onEnd">): Promise<RunnerError | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      forget();
      resolve(undefined);
    }, ENDING_MS);
    const forget = master.onEnd(({ reason }) => {
      clearTimeout(timer);
      resolve(reason);
    });
  });
}

/** An end by signal is ours; exit code 255 is ssh's own. */
function commandError(where: string, end: ProgramEnd | undefined, stderr: string): RunnerError | undefined {
  if (end?.exitCode === undefined || end.exitCode === 0) return undefined;
  if (/session (open refused|request failed)/i.test(stderr)) {
    return new RunnerError("CONNECTION_REFUSED", `${where} allows no more sessions over one ssh connection`, {
      hint: "allow socket forwarding there (AllowStreamLocalForwarding yes), or raise MaxSessions in its sshd_config",
    });
  }
  return new RunnerError("CONNECTION_LOST", `the relay on ${where} ended with exit code ${end.exitCode}`, {
    retryable: true,
    hint: "check whether the engine runs there",
    details: { exitCode: end.exitCode, stderr: stderr.trim().slice(-500) },
  });
}

function endOf(where: string, { reason }: MasterEnd): string {
  const ended = `the ssh connection to ${where} ended`;
  if (reason?.message.startsWith(ended)) return reason.message;
  return reason === undefined ? ended : `${ended} (${reason.message})`;
}

function stateOf(reason: CloseReason | undefined): string {
  switch (reason?.kind) {
    case undefined:
      return "is open";
    case "end":
      return "was ended by the engine";
    case "local":
      return "was closed here";
    case "error":
      return "broke";
  }
}

function lastOutput(text: string): { readonly lastOutput?: string } {
  return text === "" ? {} : { lastOutput: Buffer.from(text).subarray(-4096).toString("utf8") };
}
