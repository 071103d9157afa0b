import path from "node:path";

import type { DriverKey, WorkspacePackage } from "./workspace-packages.ts";

/** A driver as its package announces it. */
export interface AnnouncedDriver {
  readonly name: string;
  /** What is imported: the package, or one of its entries. */
  readonly module: string;
  readonly schemes: readonly string[];
  readonly specVersion: number | undefined;
  /** Too large to come along, so it is installed on first use. */
  readonly onDemand: boolean;
}

/**
 * The drivers of a package, in its own order of preference: mostly one, named like its folder, which the package itself exports;
 * a list names each one and its entry.
 */
export function announcedDrivers({ directory, manifest }: WorkspacePackage): readonly AnnouncedDriver[] {
  const own = path.basename(directory).slice("driver-".length);
  return driverKeys(manifest.driver).map(({ name = own, entry = ".", schemes = [], specVersion, onDemand = false }) => ({
    name,
    module: path.posix.join(manifest.name, entry),
    schemes,
    specVersion,
    onDemand,
  }));
}

function driverKeys(key: DriverKey | readonly DriverKey[] | undefined): readonly DriverKey[] {
  if (key === undefined) return [];
  return isList(key) ? key : [key];
}

function isList(key: DriverKey | readonly DriverKey[]): key is readonly DriverKey[] {
  return Array.isArray(key);
}
