import { pause, RunnerError, type CallOptions } from "@anyrunner/core/driver";

export interface WaitForPodOptions extends CallOptions {
  readonly readyBudgetMs: number;
  readonly pollIntervalMs: number;
}

/**
 * Looks until there is a pod, as long as one is on its way and the budget lasts; tells each state once. Fails as `find` does, with its last
 * error when the budget is spent.
 */
export async function waitForPod<T>(find: () => Promise<T>, { readyBudgetMs, pollIntervalMs, signal, report }: WaitForPodOptions): Promise<T> {
  const attempts = Math.max(1, Math.ceil(readyBudgetMs / pollIntervalMs));
  let told = "";
  for (let attempt = 1; ; attempt++) {
    try {
      return await find();
    } catch (error) {
      if (!RunnerError.is(error) || error.code !== "NOT_RUNNING" || !error.retryable || attempt >= attempts) throw error;
      if (error.message !== told) report?.({ type: "retry", attempt, delayMs: pollIntervalMs, message: error.message });
      told = error.message;
    }
    await pause(pollIntervalMs, signal);
  }
}
