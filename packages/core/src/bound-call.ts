import type { CallOptions, Reporter } from "./driver.ts";
import { redactError } from "./redact-error.ts";
import { redactValue } from "./redact.ts";
import { RunnerError, saysOnlyAborted } from "./runner-error.ts";
import { inTime } from "./waits.ts";

/** One call of a driver: who is called for what, how long it may take, and what must not be seen of it. */
export interface BoundCall<T> {
  readonly driver: string;
  /** The package, file or program that it comes from. */
  readonly where: string;
  /** For messages: `probe tcp://host:1`. Secrets hidden. */
  readonly doing: string;
  /** In ms. */
  readonly budgetMs: number;
  /** How long the driver may clean up after an abort, in ms. Default 0. */
  readonly graceMs?: number | undefined;
  readonly hidden: readonly string[];
  /** Whether an answer is one. Default: anything is. */
  readonly isAnswer?: ((answer: unknown) => boolean) | undefined;
  /** Gets an answer for which nobody waited any more. */
  readonly discard?: ((answer: T) => void) | undefined;
}

/** How long a call may take, in ms, before the user is told what is waited for. */
const SILENCE_MS = 10_000;

/**
 * Does `work`, which calls the driver, with options that are the caller's but for the signal, which ends with the budget, too, and the
 * reporter. Fails as the driver does, its secrets hidden; with INTERNAL for what it throws that is no RunnerError; with TIMEOUT; with
 * ABORTED, which says what was waited for; with DRIVER_INVALID.
 */
export async function boundCall<T, Options extends CallOptions>(call: BoundCall<T>, options: Options, work: (options: Options) => Promise<T>): Promise<T> {
  const { budgetMs, graceMs, hidden, isAnswer, discard } = call;
  const { signal } = options;
  const voice = createVoice(call, options.report);
  let isOver = false;
  try {
    const answer = await inTime({ budgetMs, graceMs, signal, late: () => outOfBudget(call) }, async (budget) => {
      const given = await work({ ...options, signal: budget, ...(voice.report !== undefined && { report: voice.report }) });
      if (isOver) discard?.(given);
      return given;
    });
    if (isAnswer?.(answer) === false) throw noAnswer(call);
    return answer;
  } catch (error) {
    throw ours(redactError(interrupted(error, call, signal), hidden), call);
  } finally {
    isOver = true;
    voice.end();
  }
}

/** An abort that says nothing else says what was waited for. */
export function interrupted(error: unknown, { driver, doing }: Pick<BoundCall<unknown>, "driver" | "doing">, signal: AbortSignal | undefined): unknown {
  if (signal === undefined || !saysOnlyAborted(error, signal)) return error;
  return new RunnerError("ABORTED", `interrupted while waiting for the driver ${driver} to ${doing}`, { cause: signal.reason, driver });
}

/** A driver that throws something of its own has a defect; callers still get a typed error. */
function ours(error: unknown, { driver, where }: BoundCall<never>): RunnerError {
  return RunnerError.from(error, "INTERNAL", { driver, hint: `tell the author of the driver ${driver} (${where}): it has thrown this` });
}

function outOfBudget({ driver, where, doing, budgetMs }: BoundCall<never>): RunnerError {
  return new RunnerError("TIMEOUT", `the driver ${driver} (${where}) did not ${doing} within ${budgetMs / 1000} s`, {
    hint: "see whether what it waits for answers: the address, a proxy or tunnel on the way, the program behind it; if all of that does, tell its author",
    driver,
  });
}

function noAnswer({ driver, where, doing }: BoundCall<never>): RunnerError {
  return new RunnerError("DRIVER_INVALID", `the driver ${driver} (${where}), asked to ${doing}, answers with something else than the interface says`, {
    hint: "tell the author of the driver; the interface is RunnerDriver of @anyrunner/core",
    driver,
  });
}

/** What the driver reports, its secrets hidden; when it says nothing for long, that it is waited for. */
function createVoice({ driver, doing, hidden }: BoundCall<never>, report: Reporter | undefined): { readonly report?: Reporter; end(): void } {
  if (report === undefined) return { end() {} };
  const waiting = { type: "progress", id: `waiting-${driver}-${doing}`, message: `waiting for the driver ${driver} to ${doing}` } as const;
  let isTold = false;
  const timer = setTimeout(() => {
    isTold = true;
    report(waiting);
  }, SILENCE_MS);
  return {
    report(event) {
      clearTimeout(timer);
      report(redactValue(event, hidden));
    },
    end() {
      clearTimeout(timer);
      if (isTold) report({ ...waiting, done: true });
    },
  };
}
