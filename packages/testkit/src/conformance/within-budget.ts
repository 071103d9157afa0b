import type { Duplex } from "node:stream";

import type { RunnerDriver } from "@anyrunner/core";

import type { DriverSuite } from "./driver-suite.ts";

/** The waits of the suite. Each is shorter than its test, so that a report says what was waited for instead of "timed out". */
export type Wait = "closed" | "bytes" | "answer" | "change" | "release";

type Budgets = Pick<DriverSuite, "waitBudgetMs" | "releaseBudgetMs" | "realVersion">;

const WAIT_BUDGET_MS = 5000;
const RELEASE_BUDGET_MS = 10_000;
/** A real daemon on a busy machine may stand still for seconds, and nothing is wrong with the driver. */
const REAL_WAIT_BUDGET_MS = 30_000;
const REAL_RELEASE_BUDGET_MS = 60_000;
/** Of its budget, what a wait is given that failed in this suite before: a driver that never says `closed` must not cost all of it in each test. */
const NEXT_SHARE = 1 / 20;

const failedWaits = new WeakMap<object, Set<Wait>>();
const owners = new WeakMap<Duplex, DriverSuite>();

/** How long one test may take at most, in ms. Only a test that itself is at fault gets there. */
export function testBudgetMs(suite: Budgets): number {
  const { base, release } = baseBudgets(suite);
  return Math.max(40_000, 8 * base + release);
}

/** The result of `work`, or an error that says `what` did not happen in time. */
export async function withinBudget<T>(suite: DriverSuite, wait: Wait, what: string, work: Promise<T>): Promise<T> {
  const budgetMs = waitBudgetMs(suite, wait);
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      noteFailedWait(suite, wait);
      reject(new Error(`${what} within ${budgetMs / 1000} s`));
    }, budgetMs);
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long a wait may take now. */
export function waitBudgetMs(suite: DriverSuite, wait: Wait): number {
  const { base, release } = baseBudgets(suite);
  const budgets: Readonly<Record<Wait, number>> = { closed: base, bytes: base, answer: 3 * base, change: 6 * base, release };
  return failedWaits.get(suite)?.has(wait) ? NEXT_SHARE * base : budgets[wait];
}

function baseBudgets({ waitBudgetMs, releaseBudgetMs, realVersion }: Budgets): { readonly base: number; readonly release: number } {
  const isReal = realVersion !== undefined;
  return {
    base: waitBudgetMs ?? (isReal ? REAL_WAIT_BUDGET_MS : WAIT_BUDGET_MS),
    release: releaseBudgetMs ?? (isReal ? REAL_RELEASE_BUDGET_MS : RELEASE_BUDGET_MS),
  };
}

/** Makes the next waits of this kind short. */
export function noteFailedWait(suite: DriverSuite, wait: Wait): void {
  const failed = failedWaits.get(suite) ?? new Set();
  failedWaits.set(suite, failed.add(wait));
}

/** A fresh driver whose calls are all waited for with a budget. */
export function createBudgetedDriver(suite: DriverSuite): RunnerDriver {
  const driver = suite.createDriver();
  const budgeted = <Args extends readonly unknown[], Result>(name: string, wait: Wait, call: ((...args: Args) => Promise<Result>) | undefined) =>
    call === undefined
      ? {}
      : { [name]: (...args: Args) => withinBudget(suite, wait, `\`${name}\` did not settle`, (async () => call.apply(driver, [...args] as never))()) };
  return {
    ...driver,
    ...budgeted("probe", "answer", driver.probe),
    ...budgeted("provision", "change", driver.provision),
    ...budgeted("connect", "answer", driver.connect),
    ...budgeted("inspect", "answer", driver.inspect),
    ...budgeted("start", "change", driver.start),
    ...budgeted("stop", "change", driver.stop),
    ...budgeted("destroy", "change", driver.destroy),
    ...budgeted("list", "answer", driver.list),
  };
}

/** Lets reads and writes of `stream` use the budgets of `suite`. */
export function adoptStream(stream: Duplex, suite: DriverSuite): void {
  owners.set(stream, suite);
}

/** As `withinBudget`, for a wait on a stream that a suite has adopted. */
export function withinBudgetOf<T>(stream: Duplex, what: string, work: Promise<T>): Promise<T> {
  const suite = owners.get(stream);
  return suite === undefined ? work : withinBudget(suite, "bytes", what, work);
}
