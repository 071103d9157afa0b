import type { ErrorCode, RunnerDriver } from "@anyrunner/core";

/** What a driver gives to be tested by `testDriver`. */
export interface DriverSuite {
  /** Heads the report: the driver's name, and against what it runs (`docker, real daemon`). */
  readonly name: string;
  /** A fresh driver; making one does no I/O, so this may be called at collection. */
  readonly createDriver: () => RunnerDriver;
  /** The module that exports `driver`: an absolute file URL. It is imported in a process of its own, to see what it loads. */
  readonly entry: string;
  /**
   * Names of packages that importing must not load. Default: every dependency of the entry's package outside `@anyrunner/`.
   */
  readonly sdkModules?: readonly string[];
  /** Makes a runner whose far end is the conformance peer (see `serveConformancePeer`). Called once for each group of tests. */
  readonly target: () => Promise<ConformanceTarget>;
  /** URLs that `parse` must refuse, with the code that it must give (INVALID_URL when only the text is given). At least one. */
  readonly badUrls: readonly (string | { readonly url: string; readonly code: ErrorCode })[];
  /** Good URLs of what isn't there: `probe` must say so, with a reason, instead of throwing. */
  readonly absentUrls?: readonly string[];
  /**
   * How much may lie between a writer and a reader that has stopped: the buffers of sockets, pipes and servers on the way, and the
   * driver's own, of which 4 MiB are the most in any case. Default 32 MiB.
   */
  readonly inFlightLimitBytes?: number;
  /**
   * How long a connection may take to close, and to move its next byte, in ms; other calls may take three times as long, those that
   * start or end a runner six times. Default 5000.
   */
  readonly waitBudgetMs?: number;
  /** How long what was released may take to disappear here and at the far end, in ms. Default 10,000. */
  readonly releaseBudgetMs?: number;
}

/** One runner for the time of a group of tests. */
export interface ConformanceTarget {
  readonly url: string;
  /** Kills the far end as a crash would, at once. */
  kill(): Promise<void>;
  /** How much of the driver's connections exists at the far end now: accepted sockets, exec instances, processes. */
  leftovers(): Promise<number>;
  /** Removes the runner; also called after `kill`. */
  close(): Promise<void>;
  /** Passwords and tokens that the driver gets to know here: they must not show in anything that it emits. */
  readonly secrets?: readonly string[];
  /** With capability `logs`, mandatory: text that the runner's log holds. */
  readonly logged?: string;
}
