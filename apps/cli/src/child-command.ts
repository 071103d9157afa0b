import { signalExitCode, spawnProgram, type ProgramEnd, type SpawnedProgram } from "@anyrunner/exec";

import type { CommandContext } from "./command-context.ts";
import type { EndSignal } from "./interrupts.ts";

/**
 * Starts the program that a command of ours runs for the user: streams, working directory and environment are the command's own, but
 * for `variables`, of which an undefined one is taken out. `signal` is for what asks us to end before `forwardTo` can listen to it.
 */
export function startChild(
  { env, cwd }: CommandContext,
  [program = "", ...args]: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<SpawnedProgram> {
  return spawnProgram({ command: program, args, env: { ...env, ...variables }, cwd, stdio: "inherit", terminal: usesTerminal(), signal });
}

/**
 * What to do with a signal that asks us to end: the child gets it, and SIGKILL when it doesn't obey within the time. A second SIGINT is
 * SIGKILL at once, except at a terminal: programs there live on with as many as they like.
 */
export function forwardTo(child: SpawnedProgram, cleanupTimeoutMs: number): (signal: EndSignal) => void {
  const terminal = usesTerminal();
  let timer: NodeJS.Timeout | undefined;
  let interrupted = false;
  return (signal) => {
    if (terminal && (signal === "SIGINT" || signal === "SIGQUIT")) return;
    child.kill(interrupted && signal === "SIGINT" ? "SIGKILL" : signal);
    interrupted ||= signal === "SIGINT";
    if (timer !== undefined) return;
    timer = setTimeout(() => child.kill("SIGKILL"), cleanupTimeoutMs);
    void child.exited.then(() => clearTimeout(timer));
  };
}

/** The exit code that a command of ours has after its child's. */
export function exitCodeOfChild({ exitCode, signal }: ProgramEnd): number {
  return exitCode ?? signalExitCode(signal ?? "");
}

/**
 * With a terminal, the child stays in its foreground group: it may read keys, and the terminal itself sends it Ctrl-C.
 * Without one it leads a group of its own, so that signals reach whatever it starts.
 */
function usesTerminal(): boolean {
  return process.stdin.isTTY;
}
