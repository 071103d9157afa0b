import { RunnerError } from "@anyrunner/core";

/** What the exit codes of `anyrunner` mean; those of `anyrunner run` are the command's own. */
export const EXIT = {
  success: 0,
  /** Something that can happen: the message says what, the hint what to do. */
  failure: 1,
  usage: 2,
  /** A defect of anyrunner. */
  internal: 70,
  interrupted: 130,
} as const;

export function exitCodeOf(error: unknown): number {
  if (!RunnerError.is(error)) return EXIT.internal;
  switch (error.code) {
    case "USAGE":
      return EXIT.usage;
    case "ABORTED":
      return EXIT.interrupted;
    case "INTERNAL":
      return EXIT.internal;
    default:
      return EXIT.failure;
  }
}
