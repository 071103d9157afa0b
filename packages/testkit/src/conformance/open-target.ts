import { inspect } from "node:util";

import { parseRunnerUrl, type RunnerConnection, type RunnerDriver, type RunnerEvent, type RunnerHandle, type RunnerTarget } from "@anyrunner/core";

import { expectNothingLeft, takeInventory, type Inventory } from "../leak-check.ts";
import type { ConformanceTarget, DriverSuite } from "./driver-suite.ts";

/** A driver with a runner to use it on, and a record of all that it emitted. */
export interface OpenTarget extends AsyncDisposable {
  readonly driver: RunnerDriver;
  readonly far: ConformanceTarget;
  readonly target: RunnerTarget;
  readonly handle: RunnerHandle;
  /** Everything that the driver reported, for the search for secrets. */
  readonly emitted: string[];
  report(event: RunnerEvent): void;
  connect(command: string, signal?: AbortSignal): Promise<RunnerConnection>;
  /** Waits until neither this process nor the far end holds more than when the target was opened. */
  expectNothingLeft(): Promise<void>;
}

/** Makes a runner and provisions it. What is emitted from the first call on is recorded. */
export async function openTarget(suite: DriverSuite): Promise<OpenTarget> {
  const far = await suite.target();
  try {
    const driver = suite.createDriver();
    const emitted: string[] = [];
    const report = (event: RunnerEvent) => {
      emitted.push(JSON.stringify(event));
    };
    const target = await driver.parse(parseRunnerUrl(far.url));
    const handle = await driver.provision(target, { report });
    emitted.push(target.url, JSON.stringify(handle));
    const before: Inventory = await takeInventory();
    return {
      driver,
      far,
      target,
      handle,
      emitted,
      report,
      connect: (command, signal) => startConversation(driver, handle, command, { signal, report }),
      expectNothingLeft: () =>
        expectNothingLeft(before, { extra: () => far.leftovers(), ...(suite.releaseBudgetMs === undefined ? {} : { budgetMs: suite.releaseBudgetMs }) }),
      [Symbol.asyncDispose]: () => far.close(),
    };
  } catch (error) {
    await far.close();
    throw error;
  }
}

/** Connects and sends the first line. */
async function startConversation(
  driver: RunnerDriver,
  handle: RunnerHandle,
  command: string,
  options: { readonly signal: AbortSignal | undefined; report(event: RunnerEvent): void },
): Promise<RunnerConnection> {
  const connection = await driver.connect(handle, options);
  // A stream that breaks tells it by `closed` and by rejected reads; without a listener it would end the process.
  connection.stream.on("error", () => {});
  connection.stream.write(`${command}\n`);
  return connection;
}

/** All that a reader could see of an error, causes included. */
export function visibleText(error: unknown): string {
  return inspect(error, { depth: 10, showHidden: false, maxStringLength: null });
}
