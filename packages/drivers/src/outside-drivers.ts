import { readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";

import type { ProjectConfig, ProjectDriver } from "@anyrunner/config";
import { RunnerError, type DriverEntry } from "@anyrunner/core";

import { requireDriverConsent } from "./driver-consent.ts";
import { findInstalledPackage, readDriverManifest, type DriverManifest } from "./driver-manifest.ts";
import { importDriver, notInstalled } from "./import-driver.ts";
import { outsideEntry, type OutsideDriversOptions } from "./outside-entry.ts";
import { findUpwards } from "./package-manager.ts";
import { configuredProgram } from "./program-drivers.ts";

/** The drivers that the project's configuration names, in its order. Reads manifests, imports nothing. Fails with INVALID_CONFIG or NOT_FOUND. */
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
  const place = announced?.place ?? join(from, "package.json");
  const absent = manifest === undefined ? notInstalled(packageName, { ...options, cwd: from, place }) : undefined;
  return outsideEntry({
    name,
    schemes: announced?.schemes ?? manifest?.schemes ?? [name],
    origin: packageName,
    foundBy: announced === undefined ? "dependency" : "configuration",
    version: manifest?.version,
    specVersion: manifest?.specVersion,
    ...(absent !== undefined && { absent: { message: absent.message, hint: absent.hint ?? "" } }),
    check: async () => {
      if (manifest === undefined) throw notInstalled(packageName, { ...options, cwd: from, place });
      checkManifest(manifest, packageName, announced);
      await requireDriverConsent({ path: manifest.directory, place, ...options });
    },
    load: () => importDriver({ package: packageName, load: () => import(pathToFileURL(manifest?.entry ?? "").href), ...options }),
  });
}

function pathEntry(driver: ProjectDriver & { readonly kind: "path" }, options: OutsideDriversOptions): DriverEntry {
  const { path, place } = driver;
  const program = configuredProgram(driver, shortPath(path, options.cwd), options);
  if (program !== undefined) return program;
  const found = statSync(path, { throwIfNoEntry: false });
  const isFolder = found?.isDirectory() ?? false;
  const manifest = readDriverManifest(isFolder ? path : dirname(path));
  const name = driver.name ?? manifest?.name;
  const schemes = driver.schemes ?? manifest?.schemes;
  const missing = () =>
    new RunnerError("NOT_FOUND", `${place} names the driver ${path}, which does not exist`, { hint: "correct the path, or remove it from the list" });
  if (name === undefined || schemes === undefined) {
    if (found === undefined) throw missing();
    throw new RunnerError("INVALID_CONFIG", `${place}: nothing says the name and the schemes of ${path}`, {
      hint: 'write { path: ./driver.ts, name: foo, schemes: [foo] }, or put a package.json with "anyrunner": { "specVersion": 1, "name": "foo", "schemes": ["foo"] } beside it',
    });
  }
  const file = isFolder ? (manifest?.entry ?? path) : path;
  return outsideEntry({
    name,
    schemes,
    origin: shortPath(path, options.cwd),
    foundBy: "configuration",
    version: manifest?.version,
    specVersion: manifest?.specVersion,
    check: async () => {
      if (found === undefined) throw missing();
      if (manifest !== undefined) checkManifest(manifest, path, { schemes });
      await requireDriverConsent({ path, place, ...options });
    },
    load: () => importDriver({ package: file, load: () => import(pathToFileURL(file).href), ...options }),
  });
}

/** Fails with SPEC_MISMATCH or DRIVER_INVALID when the manifest announces no driver that this anyrunner knows how to use. */
export function checkManifest(manifest: DriverManifest, where: string, announced: Pick<ProjectDriver, "schemes"> | undefined): void {
  if (manifest.specVersion !== undefined && manifest.specVersion !== 1) {
    throw new RunnerError("SPEC_MISMATCH", `${where} was written for specVersion ${JSON.stringify(manifest.specVersion)}; this anyrunner knows version 1`, {
      hint: "update the driver, or anyrunner",
    });
  }
  if (announced?.schemes === undefined && manifest.schemes === undefined) {
    throw new RunnerError("DRIVER_INVALID", `${where} doesn't say its schemes`, {
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
