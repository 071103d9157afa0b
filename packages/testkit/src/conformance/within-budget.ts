import type { Duplex } from "node:stream";

import { urlSecrets, type CallOptions, type LogsOptions, type RunnerDriver, type UrlSecrets } from "@anyrunner/core";

import { currentCase, type CaseScope } from "./case-scope.ts";
import type { DriverSuite } from "./driver-suite.ts";

/** The waits of the suite. Each is shorter than its test, so that a report says what was waited for instead of "timed out". */
export type Wait = "closed" | "bytes" | "answer" | "change" | "release";

type Budgets = Pick<DriverSuite, "waitBudgetMs" | "releaseBudgetMs" | "realVersion">;

const WAIT_BUDGET_MS = 5000;
const RELEASE_BUDGET_MS = 10_000;
/** A real daemon on a busy machine may stand still for seconds, and nothing is wrong with the driver. */
const REAL_WAIT_BUDGET_MS = 30_000;
const REAL_RELEASE_BUDGET_MS = 60_000;
/** One slow moment of the machine is one failure: only after so many cases in a row has a kind of wait a smaller budget. */
const PATIENCE = 2;
/** What it then is given of its budget: a driver that never says `closed` must not cost all of it in each test. */
const IMPATIENT_SHARE = 1 / 5;
const MARGIN_MS = 5000;

/** In how many cases in a row a kind of wait failed. */
const failuresInARow = new WeakMap<DriverSuite, Map<string, number>>();
const owners = new WeakMap<Duplex, DriverSuite>();

/** How long one test may take at most with what it leaves to clean up, in ms. */
export function testTimeoutMs(suite: Budgets): number {
  const { base, release } = baseBudgets(suite);
  return caseBudgetMs(suite) + base + release + MARGIN_MS;
}

/** The outcome of a case. Only one that itself is at fault, or whose target never comes, is given up: then the next ones can still run. */
export async function withinCaseBudget(suite: DriverSuite, work: Promise<void>): Promise<void> {
  const budgetMs = caseBudgetMs(suite);
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the case did not end within ${budgetMs / 1000} s`)), budgetMs);
  });
  try {
    await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

function caseBudgetMs(suite: Budgets): number {
  const { base, release } = baseBudgets(suite);
  return Math.max(40_000, 8 * base + release);
}

/** The result of `work`, or an error that says `what` did not happen in time. */
export async function withinBudget<T>(suite: DriverSuite, wait: Wait, what: string, work: Promise<T>): Promise<T> {
  const budgetMs = waitBudgetMs(suite, wait);
  const scope = currentCase(suite);
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      noteFailedWait(scope, wait);
      reject(new Error(`${what} within ${budgetMs / 1000} s`));
    }, budgetMs);
  });
  work.catch(() => {});
  try {
    const result = await Promise.race([work, expired]);
    noteGoodWait(suite, scope, wait);
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/** How long a wait may take now. */
export function waitBudgetMs(suite: DriverSuite, wait: Wait): number {
  const { base, release } = baseBudgets(suite);
  const budgets: Readonly<Record<Wait, number>> = { closed: base, bytes: base, answer: 3 * base, change: 6 * base, release };
  const failures = failuresInARow.get(suite)?.get(wait) ?? 0;
  return failures < PATIENCE ? budgets[wait] : IMPATIENT_SHARE * base;
}

function baseBudgets({ waitBudgetMs, releaseBudgetMs, realVersion }: Budgets): { readonly base: number; readonly release: number } {
  const isReal = realVersion !== undefined;
  return {
    base: waitBudgetMs ?? (isReal ? REAL_WAIT_BUDGET_MS : WAIT_BUDGET_MS),
    release: releaseBudgetMs ?? (isReal ? REAL_RELEASE_BUDGET_MS : RELEASE_BUDGET_MS),
  };
}

/** To be called when a wait's budget was over; what goes on of a case that is over counts for nothing. */
export function noteFailedWait(scope: CaseScope | undefined, wait: Wait): void {
  if (scope?.isOver() === false) scope.failedWaits.add(wait);
}

/** To be called when a wait's end came in time. */
export function noteGoodWait(suite: DriverSuite, scope: CaseScope | undefined, wait: Wait): void {
  if (scope?.isOver() === false && !scope.failedWaits.has(wait)) failuresInARow.get(suite)?.delete(wait);
}

/** To be called when a case has failed. */
export function countFailedWaits(suite: DriverSuite, { failedWaits }: CaseScope): void {
  const counts = failuresInARow.get(suite) ?? new Map<string, number>();
  failuresInARow.set(suite, counts);
  for (const wait of failedWaits) counts.set(wait, (counts.get(wait) ?? 0) + 1);
}

/** A fresh driver whose calls are all waited for with a budget. With each it gets the secrets of the URL that it has parsed last, as from a registry. */
export function createBudgetedDriver(suite: DriverSuite): RunnerDriver {
  const driver = suite.createDriver();
  let secrets: UrlSecrets | undefined;
  const withSecrets = (given: unknown) => (secrets === undefined ? given : { secrets, ...(given as CallOptions) });
  const budgeted = <Args extends readonly unknown[], Result>(name: string, wait: Wait, call: ((...args: Args) => Promise<Result>) | undefined) =>
    call === undefined
      ? {}
      : {
          [name]: (...args: Args) =>
            withinBudget(
              suite,
              wait,
              `\`${name}\` did not settle`,
              (async () => call.apply(driver, [...args.slice(0, -1), withSecrets(args.at(-1))] as never))(),
            ),
        };
  const { logs } = driver;
  return {
    ...driver,
    parse(url) {
      secrets = urlSecrets(url, driver.options);
      return driver.parse(url);
    },
    ...(logs && { logs: (handle, options) => logs.call(driver, handle, withSecrets(options) as LogsOptions) }),
    ...budgeted("probe", "answer", driver.probe),
    ...budgeted("provision", "change", driver.provision),
    ...budgeted("connect", "answer", connectForCase(suite, driver)),
    ...budgeted("inspect", "answer", driver.inspect),
    ...budgeted("start", "change", driver.start),
    ...budgeted("stop", "change", driver.stop),
    ...budgeted("destroy", "change", driver.destroy),
    ...budgeted("list", "answer", driver.list),
  };
}

/** Its streams end with the case that asked for them, also those that come too late; reads and writes have the budgets of `suite`. */
function connectForCase(suite: DriverSuite, driver: RunnerDriver): RunnerDriver["connect"] {
  return async (handle, options) => {
    const scope = currentCase(suite);
    const connection = await driver.connect(handle, options);
    owners.set(connection.stream, suite);
    scope?.adopt(connection);
    return connection;
  };
}

/** As `withinBudget`, for a wait on a stream that a suite has adopted. */
export function withinBudgetOf<T>(stream: Duplex, what: string, work: Promise<T>): Promise<T> {
  const suite = owners.get(stream);
  return suite === undefined ? work : withinBudget(suite, "bytes", what, work);
}
