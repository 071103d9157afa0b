import { RunnerError, type ErrorCode } from "@anyrunner/core";

/** What a Docker daemon writes to standard OUTPUT when the runtime can't start the program of an exec (seen with 20.10). */
const PREFIX = Buffer.from("OCI runtime exec failed");
/** An error text is shorter than that; what is longer is the program's own output. */
const LIMIT_BYTES = 4096;

export interface StartFailureGuard {
  /** Gives back what may be passed on now; holds back what may be the daemon's error text. */
  accept(chunk: Buffer): Buffer | undefined;
  /** What is held back at the end of the stream. */
  readonly held: Buffer;
  /** Whether `held` looks like the daemon's error text. */
  readonly suspicious: boolean;
}

/** Watches the first bytes of an exec's standard output for the daemon's error text, cut anywhere. */
export function createStartFailureGuard(): StartFailureGuard {
  let held: Buffer = Buffer.alloc(0);
  let open = false;
  return {
    get held() {
      return held;
    },
    get suspicious() {
      return held.length >= PREFIX.length;
    },
    accept(chunk) {
      if (open) return chunk;
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const compared = Math.min(held.length, PREFIX.length);
      if (held.length <= LIMIT_BYTES && held.compare(PREFIX, 0, compared, 0, compared) === 0) return undefined;
      open = true;
      const released = held;
      held = Buffer.alloc(0);
      return released;
    },
  };
}

/**
 * The error for a program that the runtime could not start: NOT_FOUND when it isn't in the container, PERMISSION_DENIED when
 * it can't be executed, NOT_RUNNING when the container stopped meanwhile, else COMMAND_FAILED.
 */
export function execStartError(
  text: string,
  options: { readonly container: string; readonly program: string; readonly exitCode: number | undefined },
): RunnerError {
  const { container, program, exitCode } = options;
  const details = { container, program, ...(exitCode === undefined ? {} : { exitCode }), output: text.trim().slice(0, 500) };
  const fail = (code: ErrorCode, message: string, hint: string) => new RunnerError(code, message, { hint, details });
  if (/executable file not found|no such file or directory/i.test(text)) {
    return fail(
      "NOT_FOUND",
      `there is no program "${program}" in the container ${container}`,
      "check that the container is what you think, and that its PATH holds the program",
    );
  }
  if (/permission denied/i.test(text))
    return fail(
      "PERMISSION_DENIED",
      `"${program}" in the container ${container} can't be executed: permission denied`,
      "check the mode of the file and the user",
    );
  if (/container (that )?(has |is )?stopped|stopped container|is not running/i.test(text))
    return fail("NOT_RUNNING", `the container ${container} stopped`, `start it: docker start ${container}`);
  return fail(
    "COMMAND_FAILED",
    `"${program}" could not be started in the container ${container}: ${text.trim().slice(0, 300)}`,
    "look at the message of the container runtime",
  );
}
