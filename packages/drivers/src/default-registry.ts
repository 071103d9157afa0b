import { openUserStore, type ProjectConfig, type UserStore } from "@anyrunner/config";
import { createRegistry, type DriverEntry, type Registry, type Reporter } from "@anyrunner/core";

import { BUILT_IN_DRIVERS } from "./built-in-drivers.ts";
import { folderDrivers } from "./driver-folder/folder-drivers.ts";
import { importDriver } from "./import-driver.ts";
import { configuredDrivers, declaredDrivers } from "./outside-drivers.ts";
import { onDemandEntries } from "./on-demand-drivers.ts";
import { programsOnPath } from "./program-drivers.ts";
import { isPlanned, plannedEntries } from "./planned-drivers.ts";

/** Where the drivers of a project and its user are looked for, besides the built-in ones. */
export interface DefaultRegistryOptions {
  /** The folder of the project, or one in it; absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The project's configuration, whose `drivers:` win over everything else. Default: none. */
  readonly config?: ProjectConfig | undefined;
  /** Where the user's consent is kept. Default: the user's own store. */
  readonly store?: UserStore | undefined;
  /** Where warnings go, such as of a driver that is ignored. Default: nowhere. */
  readonly report?: Reporter | undefined;
}

/**
 * The registry of a project. A scheme belongs to the first of these that claims it: drivers that the configuration names, the
 * built-in ones, driver packages among the declared dependencies, those in the user's driver folder, drivers that are installed on first use, programs on PATH. Imports and runs no driver. Fails with
 * INVALID_CONFIG.
 */
export function createDefaultRegistry({ cwd, env, config, report, store = openUserStore({ env }) }: DefaultRegistryOptions): Registry {
  const builtIn = BUILT_IN_DRIVERS.map(({ name, package: origin, version, schemes, load }): DriverEntry => ({
    name,
    schemes,
    origin,
    foundBy: "built-in",
    version,
    specVersion: 1,
    load: () => importDriver({ package: origin, load, cwd, env }),
  }));
  const configured = config === undefined ? [] : configuredDrivers(config, { cwd, env, store });
  const known = new Set([...configured, ...builtIn].map(({ origin }) => origin));
  const onDemand = onDemandEntries({ cwd, env });
  const folder = folderDrivers({ cwd, env, store });
  const declared = declaredDrivers({ cwd, env, store }).filter((entry) => !known.has(entry.origin) && !isAbsentTwin(entry, [...folder, ...onDemand]));
  const programs = programsOnPath({ cwd, env, store });
  const groups = [configured, builtIn, declared, folder, onDemand, programs, plannedEntries()];
  return createRegistry(firstOfEachName(withoutTakenSchemes(groups), report));
}

/** A package that is declared but not installed doesn't know its schemes; the same one in the driver folder, or on demand, does. */
function isAbsentTwin(entry: DriverEntry, others: readonly DriverEntry[]): boolean {
  const twin = others.find(({ origin }) => origin === entry.origin);
  return twin !== undefined && !entry.schemes.some((scheme) => twin.schemes.includes(scheme));
}

/** Candidates for one scheme come from one group only: nothing that is configured falls back to something else. */
function withoutTakenSchemes(groups: readonly (readonly DriverEntry[])[]): readonly DriverEntry[] {
  const taken = new Set<string>();
  return groups.flatMap((group) => {
    const entries = group.map((entry) => {
      const schemes = entry.schemes.filter((scheme) => !taken.has(scheme));
      return schemes.length === entry.schemes.length ? entry : { ...entry, schemes };
    });
    for (const { schemes } of group) for (const scheme of schemes) taken.add(scheme);
    return entries;
  });
}

function firstOfEachName(entries: readonly DriverEntry[], report: Reporter | undefined): readonly DriverEntry[] {
  const byName = new Map<string, DriverEntry>();
  for (const entry of entries) {
    const winner = byName.get(entry.name);
    if (winner === undefined) {
      byName.set(entry.name, entry);
    } else if (!isPlanned(entry) && winner.origin !== entry.origin) {
      report?.({
        type: "warning",
        id: `driver-name-${entry.name}`,
        message: `two drivers are named "${entry.name}": ${winner.origin} is used, ${entry.origin} is not`,
        hint: 'list the one you want under "drivers:" of anyrunner.config.yaml',
      });
    }
  }
  return [...byName.values()];
}
