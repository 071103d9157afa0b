import { abortedError, RunnerError, withinBudget } from "@anyrunner/core";
import type { ProgramStream } from "@anyrunner/exec";

import type { ChannelVerdict } from "./channel-log.ts";
import { formatSshHost, type SshHost } from "./ssh-host.ts";
import type { SshMaster } from "./ssh-master.ts";
import { endingOf } from "./ssh-stream.ts";

/** What ssh itself ends with when it, and not the command, failed. */
const SSH_FAILED = 255;
/** How far the master's log may be behind. */
const LOG_LAG_MS = 1000;

type Outcome = ChannelVerdict | { readonly exitCode: number | undefined } | { readonly error: RunnerError };

/**
 * Starts a command in a session of its own. Resolves when the host has opened the session. Only one may be on its way at a time.
 * Fails with CONNECTION_REFUSED (no more sessions), CONNECTION_LOST or the like, ABORTED.
 */
export async function openSession(
  host: SshHost,
  master: SshMaster,
  { commandLine, signal }: { readonly commandLine: string; readonly signal: AbortSignal | undefined },
): Promise<ProgramStream> {
  const ends: (() => void)[] = [];
  const verdict = new Promise<Outcome>((resolve) => {
    if (master.channels.works) ends.push(master.channels.expectSession(resolve));
    ends.push(master.onEnd(({ reason }) => resolve({ error: reason ?? lost(host) })));
    const onAbort = () => resolve({ error: abortedError(signal as AbortSignal) });
    signal?.addEventListener("abort", onAbort, { once: true });
    ends.push(() => signal?.removeEventListener("abort", onAbort));
    if (signal?.aborted) onAbort();
  });
  try {
    const program = await master.openCommand(commandLine, { signal });
    if (!master.channels.works && !signal?.aborted) return program;
    const failure = await failureOf(host, master, await firstWord(verdict, program.exited));
    if (failure === undefined) return program;
    program.stream.on("error", () => {});
    program.stream.destroy();
    throw failure;
  } finally {
    for (const end of ends) end();
  }
}

/** The command's ssh may end before the master has logged why; what the log says is worth a moment. */
async function firstWord(verdict: Promise<Outcome>, exited: ProgramStream["exited"]): Promise<Outcome> {
  const first = await Promise.race([verdict, exited]);
  if (!("exitCode" in first) || first.exitCode !== SSH_FAILED) return first;
  return (await withinBudget(LOG_LAG_MS, verdict)) ?? first;
}

async function failureOf(host: SshHost, master: SshMaster, outcome: Outcome): Promise<RunnerError | undefined> {
  if ("error" in outcome) return outcome.error;
  if ("opened" in outcome) return outcome.opened ? undefined : noMoreSessions(host);
  // A command that ended before its session was seen to open ran all the same.
  return outcome.exitCode === SSH_FAILED ? ((await endingOf(master)) ?? lost(host)) : undefined;
}

/** The host keeps to a limit of its own. */
export function noMoreSessions(host: SshHost): RunnerError {
  return new RunnerError("CONNECTION_REFUSED", `${formatSshHost(host)} allows no more sessions over one ssh connection`, {
    hint: "allow socket forwarding there (AllowStreamLocalForwarding yes), or raise MaxSessions in its sshd_config",
  });
}

function lost(host: SshHost): RunnerError {
  return new RunnerError("CONNECTION_LOST", `the ssh connection to ${formatSshHost(host)} has ended`, { hint: "try again", retryable: true });
}
