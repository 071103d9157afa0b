import type { DriverCapability } from "@anyrunner/core";

import type { DriverSuite } from "./driver-suite.ts";
import type { TargetSlot } from "./target-slot.ts";

/** One case as its group declares it. */
export interface CaseDraft {
  readonly group: string;
  readonly name: string;
  /** The capability that it belongs to. Without one it is mandatory. */
  readonly capability?: DriverCapability | undefined;
  /** Rejects when the driver fails it. */
  run(): Promise<void>;
}

/** What the groups make their cases from. */
export interface CaseContext {
  readonly suite: DriverSuite;
  readonly slot: TargetSlot;
}
