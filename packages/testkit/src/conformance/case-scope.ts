import type { Duplex } from "node:stream";

import { withinBudget, type RunnerConnection } from "@anyrunner/core";

import type { DriverSuite } from "./driver-suite.ts";

/** What one case opened and waited for in vain. What it opened ends with it: a case that fails leaves nothing that makes the next ones fail. */
export interface CaseScope {
  /** Kinds of waits whose budget was over. */
  readonly failedWaits: Set<string>;
  isOver(): boolean;
  /** Destroys the connection's stream when the case is over; at once, when it is already. */
  adopt(connection: RunnerConnection): void;
  /** Destroys what is left. Resolves when all of it has closed, or at the latest after `budgetMs`. */
  end(budgetMs: number): Promise<void>;
}

const current = new WeakMap<DriverSuite, CaseScope>();

/** The scope of the case that runs now: cases of a suite run one after the other. */
export function currentCase(suite: DriverSuite): CaseScope | undefined {
  return current.get(suite);
}

export function beginCase(suite: DriverSuite): CaseScope {
  const streams = new Set<Duplex>();
  let over = false;
  const scope: CaseScope = {
    failedWaits: new Set(),
    isOver: () => over,
    adopt({ stream, closed }) {
      // A stream that breaks tells it by `closed` and by rejected reads; without a listener it would end the process.
      stream.on("error", () => {});
      Promise.resolve(closed).catch(() => {});
      if (over) stream.destroy();
      else streams.add(stream);
    },
    async end(budgetMs) {
      over = true;
      const open = [...streams].filter((stream) => !stream.closed);
      const closing = open.map((stream) => new Promise<void>((resolve) => stream.once("close", () => resolve())));
      for (const stream of open) stream.destroy();
      await withinBudget(budgetMs, Promise.all(closing));
    },
  };
  current.set(suite, scope);
  return scope;
}
