import type { ChildProcess } from "node:child_process";

/** A started program, and how far signals to it reach. */
export interface ProgramTarget {
  readonly child: Pick<ChildProcess, "pid" | "kill">;
  /** It leads a process group of its own, so what it started can be reached, too. */
  readonly ownGroup: boolean;
}

const live = new Set<ProgramTarget>();

/**
 * Remembers a running program, so that it dies with this process whatever ends it short of SIGKILL.
 * One listener serves all programs; it is gone when none runs. Returns the function that forgets the program.
 */
export function trackProgram(target: ProgramTarget): () => void {
  if (live.size === 0) process.on("exit", killAll);
  live.add(target);
  return () => {
    if (live.delete(target) && live.size === 0) process.off("exit", killAll);
  };
}

/** Sends `signal` to the program, and to its whole group when it has its own. False when nothing is left to signal. */
export function signalProgram({ child, ownGroup }: ProgramTarget, signal: NodeJS.Signals): boolean {
  if (child.pid === undefined) return false;
  if (!ownGroup || process.platform === "win32") return child.kill(signal);
  try {
    return process.kill(-child.pid, signal);
  } catch {
    return false;
  }
}

function killAll(): void {
  for (const target of live) signalProgram(target, "SIGKILL");
}
