import type { ErrorCode, RunnerDriver } from "@anyrunner/core";

/** What a driver gives to be tested by `testDriver`, or by another runner of tests through `driverCases`. */
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
   * What can't be shown here, each with its reason, which the report repeats. A key is a capability that the driver doesn't declare, or
   * the name of a case of one that it declares but this target can't show. Naming a mandatory case is a TypeError.
   */
  readonly unsupported?: Readonly<Record<string, string>> | undefined;
  /** Name and version of the real thing behind the targets, for the report: `Docker 20.10.24`. Without it they count as doubles. */
  readonly realVersion?: (() => Promise<string>) | undefined;
  /** Why nothing of it can run on this machine: every case is skipped, and the report says so. An empty text is a TypeError. */
  readonly skip?: string | undefined;
  /** Folder for the report, `NAME.json` and `NAME.md`. Default: the environment variable ANYRUNNER_CONFORMANCE_REPORT; without it none is written. */
  readonly reportFolder?: string | undefined;
  /**
   * How much may lie between a writer and a reader that has stopped: the buffers of sockets, pipes and servers on the way, and the
   * driver's own, of which 4 MiB are the most in any case. Default 32 MiB.
   */
  readonly inFlightLimitBytes?: number;
  /**
   * How long a connection may take to close, and to move its next byte, in ms; other calls may take three times as long, those that
   * start or end a runner six times. Default 5000, with `realVersion` 30,000.
   */
  readonly waitBudgetMs?: number;
  /** How long what was released may take to disappear here and at the far end, in ms. Default 10,000, with `realVersion` 60,000. */
  readonly releaseBudgetMs?: number;
}

/** One runner for the time of a group of tests. */
export interface ConformanceTarget {
  /** Leads the driver under test to the runner. */
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
