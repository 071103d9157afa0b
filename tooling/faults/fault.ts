import type { RunnerDriver } from "@anyrunner/core";

/** A fault that a test brings about, and how users meet it. */
export interface Fault {
  /** As the table says it. */
  readonly fault: string;
  readonly scheme: string;
  /** Why it can't be brought about here; `undefined`: it can. */
  readonly skipped?: string | undefined;
  /** Sets the scene. What it hands to `cleanUp` runs at the end, the last first. */
  prepare(cleanUp: (work: () => unknown) => void): Promise<Scene>;
}

export interface Scene {
  readonly url: string;
  readonly driver: RunnerDriver;
  /** What is asked. Default: what an engine double never answers. */
  readonly query?: string | undefined;
  /** Strikes while a query runs; without it the session should not even open. */
  readonly strike?: (() => unknown) | undefined;
  /** Around the whole: a user who may not, for example. */
  readonly around?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
  /** Processes, sockets and the like at the far end that are not gone. */
  readonly leftovers?: (() => number | Promise<number>) | undefined;
}

/** What came of it: a row of docs/faults.md. */
export interface FaultRow {
  readonly fault: string;
  readonly scheme: string;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** `again`: until the budget was spent. */
  readonly attempts: "one" | "again";
  /** Until whoever prints it has the error, from the first attempt on or from the strike; as it was when the table was made. */
  readonly seconds: number;
  /** What is not gone afterwards, here and at the far end. */
  readonly leftovers: "nothing";
}
