import { inspect } from "node:util";

import {
  parseRunnerUrl,
  type CloseReason,
  type RunnerConnection,
  type RunnerDriver,
  type RunnerEvent,
  type RunnerHandle,
  type RunnerTarget,
} from "@anyrunner/core";

import { expectNothingLeft, takeInventory, type Inventory } from "../leak-check.ts";
import { createListeningCheck } from "./await-listening.ts";
import { currentCase } from "./case-scope.ts";
import type { CaseContext } from "./conformance-case.ts";
import type { ConformanceTarget, DriverSuite } from "./driver-suite.ts";
import { createBudgetedDriver, noteFailedWait, noteGoodWait, waitBudgetMs, withinBudget } from "./within-budget.ts";

/** A connection on which the first line was sent. */
export interface Conversation extends Omit<RunnerConnection, "closed"> {
  /** Waits for `closed`; `after` ends the sentence of the error when it doesn't resolve: "after …". */
  closed(after: string): Promise<CloseReason>;
}

/** A driver with a runner to use it on, and a record of all that it emitted. */
export interface OpenTarget extends AsyncDisposable {
  readonly driver: RunnerDriver;
  readonly far: ConformanceTarget;
  readonly target: RunnerTarget;
  readonly handle: RunnerHandle;
  /** Everything that the driver reported, for the search for secrets. */
  readonly emitted: string[];
  report(event: RunnerEvent): void;
  connect(command: string, signal?: AbortSignal): Promise<Conversation>;
  /** Waits until a runner that was started again takes connections. */
  listening(): Promise<void>;
  /** Waits until neither this process nor the far end holds more than when the target was opened. */
  expectNothingLeft(): Promise<void>;
}

/** Makes a runner and provisions it; what that starts is waited for. What is emitted from the first call on is recorded. */
export async function openTarget(suite: DriverSuite): Promise<OpenTarget> {
  const far = await suite.target();
  try {
    const driver = createBudgetedDriver(suite);
    const emitted: string[] = [];
    const report = (event: RunnerEvent) => {
      emitted.push(JSON.stringify(event));
    };
    const target = await driver.parse(parseRunnerUrl(far.url));
    const ready = createListeningCheck(suite, driver);
    const handle = await driver.provision(target, { report, ready });
    emitted.push(JSON.stringify(target), JSON.stringify(handle));
    const before: Inventory = await takeInventory();
    return {
      driver,
      far,
      target,
      handle,
      emitted,
      report,
      connect: async (command, signal) => startConversation(suite, await driver.connect(handle, { signal, report }), command),
      listening: () => ready(handle, { report }),
      async expectNothingLeft() {
        try {
          await expectNothingLeft(before, { extra: () => far.leftovers(), budgetMs: waitBudgetMs(suite, "release") });
          noteGoodWait(suite, currentCase(suite), "release");
        } catch (error) {
          noteFailedWait(currentCase(suite), "release");
          throw error;
        }
      },
      [Symbol.asyncDispose]: () => far.close(),
    };
  } catch (error) {
    await far.close();
    throw error;
  }
}

/** The runner that the cases of `group` share, opened by the first that asks. */
export function shareOpenTarget({ suite, slot }: CaseContext, group: string): () => Promise<OpenTarget> {
  return () =>
    slot.share(
      group,
      () => openTarget(suite),
      (open) => open[Symbol.asyncDispose](),
    );
}

/** Sends the first line on a connection of a driver that `createBudgetedDriver` made. */
export function startConversation(suite: DriverSuite, connection: RunnerConnection, command: string): Conversation {
  const { stream, closed } = connection;
  stream.write(`${command}\n`);
  return {
    ...connection,
    diagnostics: (options) => withinBudget(suite, "answer", "`diagnostics` did not settle", connection.diagnostics(options)),
    closed: (after) => withinBudget(suite, "closed", `\`closed\` did not resolve ${after}`, closed),
  };
}

/** All that a reader could see of an error, causes included. */
export function visibleText(error: unknown): string {
  return inspect(error, { depth: 10, showHidden: false, maxStringLength: null });
}
