import { constants } from "node:os";

/** The exit code by which shells report a death by `signal`: 128 + its number; 128 alone for a name unknown here. */
export function signalExitCode(signal: string): number {
  return 128 + (constants.signals[signal as NodeJS.Signals] ?? 0);
}
