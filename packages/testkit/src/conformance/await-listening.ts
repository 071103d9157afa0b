import { setTimeout as delay } from "node:timers/promises";

import { RunnerError, throwIfAborted, type CallOptions, type ProvisionOptions, type RunnerDriver, type RunnerHandle } from "@anyrunner/core";

import type { DriverSuite } from "./driver-suite.ts";
import { waitBudgetMs } from "./within-budget.ts";

const PAUSE_MS = 25;

/**
 * What is awaited of a runner that has just been started, as anyrunner does: one connection opens. A failure that is `retryable` is tried
 * again until the budget of an answer is over; any other, and the last one, is thrown.
 */
export function createListeningCheck(suite: DriverSuite, driver: RunnerDriver): NonNullable<ProvisionOptions["ready"]> {
  return async (handle, options) => {
    const giveUpAt = performance.now() + waitBudgetMs(suite, "answer");
    while (!(await canConnect(driver, handle, options, performance.now() < giveUpAt))) await delay(PAUSE_MS);
  };
}

async function canConnect(driver: RunnerDriver, handle: RunnerHandle, options: CallOptions, isPatient: boolean): Promise<boolean> {
  try {
    const { stream, closed } = await driver.connect(handle, options);
    stream.destroy();
    await closed;
    return true;
  } catch (error) {
    throwIfAborted(options.signal);
    if (isPatient && RunnerError.is(error) && error.retryable) return false;
    throw error;
  }
}
