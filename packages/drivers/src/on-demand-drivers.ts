import type { DriverEntry } from "@anyrunner/core";

import { ON_DEMAND_DRIVERS } from "./built-in-drivers.ts";
import { importDriver } from "./import-driver.ts";
import type { FindProjectOptions } from "./package-manager.ts";

/**
 * Drivers whose packages are too large to come along: taken from where this package is installed, which is where a global installation
 * puts them. Loading one that is absent fails with DRIVER_NOT_INSTALLED and the exact command; one that the project declares is found
 * among its dependencies, one that the user has added in the driver folder.
 */
export function onDemandEntries(options: FindProjectOptions): readonly DriverEntry[] {
  return ON_DEMAND_DRIVERS.map(({ name, package: origin, schemes }) => ({
    name,
    schemes,
    origin,
    foundBy: "on demand",
    specVersion: 1,
    // No literal, so that bundlers leave it alone.
    load: () => importDriver({ package: origin, load: () => import(origin), addable: name, ...options }),
  }));
}
