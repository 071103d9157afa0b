import { redact, RunnerError, redactValue } from "@anyrunner/core/driver";
import type { ProgramError } from "@anyrunner/core/driver-protocol";

/** Who said something, and what must not be seen of it. */
export interface ProgramVoice {
  /** For messages: the path of the program. */
  readonly command: string;
  /** The driver's name, once it is known. */
  readonly driver?: string | undefined;
  readonly hidden: readonly string[];
}

const MAX_TEXT = 2000;

/** The error that the program answered. */
export function answeredError(error: ProgramError, { command, driver, hidden }: ProgramVoice): RunnerError {
  return new RunnerError(error.code, redact(error.message, hidden).slice(0, MAX_TEXT), {
    hint: redact(error.hint ?? `this is what the driver ${command} says; ask its documentation`, hidden).slice(0, MAX_TEXT),
    details: redactValue(error.details, hidden),
    retryable: error.retryable ?? false,
    driver,
  });
}

/** The program broke the protocol: `what` goes on after its name. */
export function brokenProtocol(what: string, { command, driver, hidden }: ProgramVoice, stderr = ""): RunnerError {
  const said = lastLine(stderr, hidden);
  return new RunnerError("DRIVER_INVALID", `the driver ${command} ${redact(what, hidden)}${said === "" ? "" : `; it wrote: ${said}`}`, {
    hint: "tell the author of the driver; docs/reference/driver-protocol.md says what a driver program answers",
    driver,
  });
}

/** The program speaks another version of the protocol or of the driver interface. */
export function otherVersion(what: string, { command, driver }: ProgramVoice): RunnerError {
  return new RunnerError("SPEC_MISMATCH", `the driver ${command} ${what}`, { hint: "update the driver, or anyrunner, whichever is older", driver });
}

export function outOfBudget(verb: string, budgetMs: number, { command, driver, hidden }: ProgramVoice, stderr = ""): RunnerError {
  const said = lastLine(stderr, hidden);
  return new RunnerError(
    "TIMEOUT",
    `the driver ${command} did not answer ${verb} within ${budgetMs / 1000} s, and was ended${said === "" ? "" : `; it wrote: ${said}`}`,
    {
      hint: `call it by hand to see what it waits for: ${command} ${verb}`,
      driver,
    },
  );
}

/** What the system says when the program can't be started: it belongs to this machine, so it is not the runner that is missing. */
export function startFailure(error: unknown, { command, driver }: ProgramVoice): RunnerError {
  const { code, message, hint } = RunnerError.from(error, "COMMAND_FAILED");
  if (code === "ABORTED") return RunnerError.from(error, "ABORTED");
  const missing = code === "NOT_FOUND";
  return new RunnerError(
    missing ? "NOT_AVAILABLE" : code,
    missing ? `the driver ${command} can't be started: there is no such program, or what its first line names is missing` : message,
    {
      hint: missing
        ? "install it again, with the language that it is written in"
        : (hint ?? "a driver is an executable file: a program, or a script whose first line begins with #!"),
      driver,
      cause: error,
    },
  );
}

/** The end of what a program wrote to standard error; one that was cut off may begin in the middle of a line, and of a secret. */
export function shownTail(stderr: string, hidden: readonly string[]): string {
  const shown = redact(stderr, hidden);
  if (Buffer.byteLength(stderr) < 4000) return shown;
  return shown.slice(Math.max(shown.indexOf("\n") + 1, ...hidden.map((secret) => secret.length)));
}

function lastLine(stderr: string, hidden: readonly string[]): string {
  return (shownTail(stderr, hidden).trim().split("\n").at(-1) ?? "").slice(0, 300);
}
