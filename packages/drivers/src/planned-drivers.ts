import { RunnerError, type DriverEntry } from "@anyrunner/core";

import { BUILT_IN_DRIVERS } from "./built-in-drivers.ts";

interface PlannedDriver {
  readonly name: string;
  readonly package: string;
  readonly schemes: readonly string[];
}

/** Known schemes of runners whose packages don't exist yet; listed, so that the message about them can be honest. */
const PLANNED_DRIVERS: readonly PlannedDriver[] = [];

/** One entry for each driver that is only planned; loading it fails with UNSUPPORTED and says what works today. */
export function plannedEntries(): readonly DriverEntry[] {
  return PLANNED_DRIVERS.map((driver) => ({
    name: driver.name,
    schemes: driver.schemes,
    origin: driver.package,
    planned: true,
    load: () => Promise.reject(notPartOfThisRelease(driver)),
  }));
}

/** Whether an entry stands only for a driver that doesn't exist yet. */
export function isPlanned(entry: DriverEntry): boolean {
  return entry.planned ?? false;
}

function notPartOfThisRelease(driver: PlannedDriver): RunnerError {
  const today = BUILT_IN_DRIVERS.flatMap(({ schemes }) => schemes).map((scheme) => `${scheme}://`);
  return new RunnerError("UNSUPPORTED", `the driver "${driver.name}" is not part of this release of anyrunner`, {
    hint: `use one of ${today.join(", ")}`,
    driver: driver.name,
    details: { driver: driver.name, package: driver.package },
  });
}
