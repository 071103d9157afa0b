import { readFileSync, statSync } from "node:fs";
import { dirname, extname, relative } from "node:path";
import { pathToFileURL } from "node:url";

import type { ProjectConfig, ProjectDriver, UserStore } from "@anyrunner/config";
import { RunnerError, type DriverEntry } from "@anyrunner/core";

import { requireDriverConsent } from "./driver-consent.ts";
import { findInstalledPackage, readDriverManifest, type DriverManifest } from "./driver-manifest.ts";
import { importDriver, notInstalled } from "./import-driver.ts";
import { isPinnedByLockfile } from "./lockfile-pin.ts";
import { findUpwards } from "./package-manager.ts";

export interface OutsideDriversOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly store: UserStore;
}

/** The drivers that the project's configuration names, in its order. Reads manifests, imports nothing. Fails with INVALID_CONFIG. */
export function configuredDrivers(config: ProjectConfig, options: OutsideDriversOptions): readonly DriverEntry[] {
  return config.drivers.map((driver) =>
    driver.kind === "path" ? pathEntry(driver, options) : packageEntry(driver.package, config.directory, options, driver),
  );
}

/**
 * The packages `anyrunner-driver-*` and `@anyrunner/driver-*` among the declared dependencies of the nearest package.json.
 * node_modules is not searched: what is not declared is not found.
 */
export function declaredDrivers(options: OutsideDriversOptions): readonly DriverEntry[] {
  const manifest = findUpwards(options.cwd, "package.json");
  if (manifest === undefined) return [];
  return declaredNames(manifest)
    .filter((name) => /^(anyrunner-driver-|@anyrunner\/driver-)[a-z]/.test(name))
    .map((name) => packageEntry(name, dirname(manifest), options));
}

function packageEntry(packageName: string, from: string, options: OutsideDriversOptions, announced?: ProjectDriver): DriverEntry {
  const directory = findInstalledPackage(packageName, from);
  const manifest = directory === undefined ? undefined : readDriverManifest(directory);
  const name = announced?.name ?? manifest?.name ?? /driver-([a-z][a-z0-9-]*)$/.exec(packageName)?.[1] ?? packageName.replace(/^.*\//, "");
  return {
    name,
    schemes: announced?.schemes ?? manifest?.schemes ?? [name],
    origin: packageName,
    load: async () => {
      if (manifest === undefined) throw notInstalled(packageName, options);
      checkManifest(manifest, packageName, announced);
      if (!isPinnedByLockfile({ directory: from, name: packageName, version: manifest.version })) {
        await requireDriverConsent({ file: manifest.entry, place: announced?.place ?? `the dependencies in ${from}`, ...options });
      }
      return importDriver({ package: packageName, load: () => import(pathToFileURL(manifest.entry).href), ...options });
    },
  };
}

function pathEntry(driver: ProjectDriver & { readonly kind: "path" }, options: OutsideDriversOptions): DriverEntry {
  const isDirectory = statSync(driver.path, { throwIfNoEntry: false })?.isDirectory() ?? extname(driver.path) === "";
  const manifest = readDriverManifest(isDirectory ? driver.path : dirname(driver.path));
  const name = driver.name ?? manifest?.name;
  const schemes = driver.schemes ?? manifest?.schemes;
  if (name === undefined || schemes === undefined) {
    throw new RunnerError("INVALID_CONFIG", `${driver.place}: nothing says the name and the schemes of ${driver.path}`, {
      hint: 'write { path: ./driver.ts, name: foo, schemes: [foo] }, or put a package.json with "anyrunner": { "specVersion": 1, "name": "foo", "schemes": ["foo"] } beside it',
    });
  }
  const file = isDirectory ? (manifest?.entry ?? driver.path) : driver.path;
  return {
    name,
    schemes,
    origin: shortPath(driver.path, options.cwd),
    load: async () => {
      await requireDriverConsent({ file, place: driver.place, ...options });
      return importDriver({ package: file, load: () => import(pathToFileURL(file).href), ...options });
    },
  };
}

function checkManifest(manifest: DriverManifest, packageName: string, announced: ProjectDriver | undefined): void {
  if (manifest.specVersion !== undefined && manifest.specVersion !== 1) {
    throw new RunnerError(
      "SPEC_MISMATCH",
      `${packageName} was written for specVersion ${JSON.stringify(manifest.specVersion)}; this anyrunner knows version 1`,
      {
        hint: "update the driver, or anyrunner",
      },
    );
  }
  if (announced?.schemes === undefined && manifest.schemes === undefined) {
    throw new RunnerError("DRIVER_INVALID", `${packageName} doesn't say its schemes`, {
      hint: 'its package.json needs "anyrunner": { "specVersion": 1, "name": …, "schemes": […] }; tell the author of the driver',
    });
  }
}

function declaredNames(manifestFile: string): readonly string[] {
  try {
    const manifest = JSON.parse(readFileSync(manifestFile, "utf8")) as Readonly<Record<string, unknown>>;
    const groups = [manifest["dependencies"], manifest["devDependencies"], manifest["optionalDependencies"]];
    return [...new Set(groups.flatMap((group) => Object.keys(group ?? {})))];
  } catch {
    return [];
  }
}

function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith("..") || short === "" ? path : `./${short}`;
}
