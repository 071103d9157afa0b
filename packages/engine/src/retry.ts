import { abortedError, pause, RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core";

/** What is tried, and for how long. `report` gets a `retry` event for each further attempt. */
export interface RetryOptions extends CallOptions {
  /** How long transient failures are tried again, in ms, measured from the first attempt. */
  readonly budgetMs: number;
  /**
   * A shorter budget for failures of a far end that has been running for longer than the whole budget already (`details.runningForMs`):
   * what did not become an engine by then doesn't soon. Default: none.
   */
  readonly settledBudgetMs?: number | undefined;
  /** For messages: what is being tried. */
  readonly what: string;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
}

/** Time, as tests replace it. */
export interface Clock {
  now(): number;
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

/** The time of this machine; a sleep ends at once when its signal is aborted. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: pause,
};

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 1000;

/**
 * Runs `attempt` until it succeeds, fails permanently, or the budget is spent on transient failures. Only errors that are
 * marked `retryable` count as transient; everything else surfaces after one attempt, unchanged.
 * Fails with TIMEOUT (cause: the last failure) when the budget is spent.
 */
export async function retryTransient<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const clock = options.clock ?? systemClock;
  const started = clock.now();
  for (let count = 1; ; count++) {
    throwIfAborted(options.signal);
    try {
      return await attempt();
    } catch (error) {
      if (!RunnerError.is(error) || !error.retryable) throw error;
      throwIfAborted(options.signal);
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (count - 1), LONGEST_DELAY_MS);
      const budgetMs = budgetFor(error, options);
      if (clock.now() - started + delayMs > budgetMs) throw budgetSpent({ ...options, budgetMs }, count, error);
      options.report?.({ type: "retry", attempt: count, delayMs, message: error.message });
      await clock.sleep(delayMs, options.signal).catch((cause: unknown) => {
        throw options.signal?.aborted ? abortedError(options.signal) : cause;
      });
    }
  }
}

function budgetFor({ details }: RunnerError, { budgetMs, settledBudgetMs = budgetMs }: RetryOptions): number {
  const runningForMs = details?.["runningForMs"];
  return typeof runningForMs === "number" && runningForMs > budgetMs ? Math.min(budgetMs, settledBudgetMs) : budgetMs;
}

function budgetSpent(options: RetryOptions, count: number, last: RunnerError): RunnerError {
  const seconds = Math.round(options.budgetMs / 1000);
  return new RunnerError("TIMEOUT", `${options.what} did not work within ${seconds} s (${count} attempts); last: ${last.message}`, {
    cause: last,
    hint: last.hint ?? "look at the engine's log; a larger budget can be given",
    driver: last.driver,
  });
}
