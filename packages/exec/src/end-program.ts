import { signalProgram, type ProgramTarget } from "./live-groups.ts";

export interface EndProgramOptions {
  /** How long the program may take to obey SIGTERM before SIGKILL, in ms. */
  readonly graceMs: number;
  /** Settles when the program has ended. */
  readonly exited: Promise<unknown>;
}

/** SIGTERM, then SIGKILL after the grace; what the program left behind in its own group is killed with it. */
export async function endProgram(target: ProgramTarget, { graceMs, exited }: EndProgramOptions): Promise<void> {
  signalProgram(target, "SIGTERM");
  const timer = setTimeout(() => signalProgram(target, "SIGKILL"), graceMs);
  try {
    await exited;
  } finally {
    clearTimeout(timer);
    if (target.ownGroup) signalProgram(target, "SIGKILL");
  }
}
