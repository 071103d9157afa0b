import { readdirSync, realpathSync } from "node:fs";
import { basename, delimiter, isAbsolute, join } from "node:path";

import type { ProjectDriver } from "@anyrunner/config";
import { RunnerError, type DriverEntry, type RunnerDriver } from "@anyrunner/core";

import { requireDriverConsent } from "./driver-consent.ts";
import { refuseProgramOfOthers } from "./others-may-write.ts";
import { outsideEntry, type OutsideDriversOptions } from "./outside-entry.ts";
import { isProgramFile, schemeOfProgram } from "./program-file.ts";

/**
 * The programs `anyrunner-driver-<scheme>` in the folders of PATH, the first of each name. Reads names, runs nothing. Relative folders are
 * left out: what lies there depends on where a command is called.
 */
export function programsOnPath(options: OutsideDriversOptions): readonly DriverEntry[] {
  const found = new Map<string, string>();
  for (const folder of (options.env["PATH"] ?? "").split(delimiter).filter((entry) => isAbsolute(entry))) {
    for (const name of programNames(folder)) {
      const scheme = schemeOfProgram(name);
      if (scheme !== undefined && !found.has(scheme)) found.set(scheme, join(folder, name));
    }
  }
  return [...found].map(([scheme, path]) =>
    programEntry({ path, name: nameOfScheme(scheme), schemes: [scheme], origin: path, place: "PATH", foundBy: "PATH" }, options),
  );
}

/** A program that the project's configuration names; `undefined` when the path leads to no program. Fails with INVALID_CONFIG. */
export function configuredProgram(driver: ProjectDriver & { readonly kind: "path" }, origin: string, options: OutsideDriversOptions): DriverEntry | undefined {
  const { path, place } = driver;
  if (!isProgramFile(path)) return undefined;
  const scheme = schemeOfProgram(basename(path));
  const schemes = driver.schemes ?? (scheme === undefined ? undefined : [scheme]);
  const name = driver.name ?? (scheme === undefined ? undefined : nameOfScheme(scheme));
  if (schemes === undefined || name === undefined) {
    throw new RunnerError("INVALID_CONFIG", `${place}: nothing says the name and the schemes of the program ${path}`, {
      hint: "call it anyrunner-driver-<scheme>, or write { path: ./program, name: foo, schemes: [foo] }",
    });
  }
  return programEntry({ path, name, schemes, origin, place, foundBy: "configuration" }, options);
}

interface FoundProgram {
  readonly path: string;
  readonly name: string;
  readonly schemes: readonly string[];
  readonly origin: string;
  readonly place: string;
  readonly foundBy: string;
}

function programEntry({ path, name, schemes, origin, place, foundBy }: FoundProgram, options: OutsideDriversOptions): DriverEntry {
  return outsideEntry({
    name,
    schemes,
    origin,
    foundBy,
    async check() {
      await refuseProgramOfOthers(realPathOf(path, place), path);
      await requireDriverConsent({ path, place, ...options });
    },
    async load() {
      const { loadProgramDriver } = await import("@anyrunner/program-driver");
      return checkAnnounced(await loadProgramDriver({ command: path, env: options.env, cwd: options.cwd }), { path, name, schemes });
    },
  });
}

/** What it is called and answers to was said before it ran; more schemes than those it may claim, but doesn't get. */
function checkAnnounced(driver: RunnerDriver, { path, name, schemes }: Pick<FoundProgram, "path" | "name" | "schemes">): RunnerDriver {
  const invalid = (what: string) =>
    new RunnerError("DRIVER_INVALID", `the driver ${path} ${what}`, {
      hint: "tell the author of the driver; a program is named after its scheme",
      driver: name,
    });
  if (driver.name !== name) throw invalid(`says that it is "${driver.name}", and was found as "${name}"`);
  const missing = schemes.find((scheme) => !driver.schemes.includes(scheme));
  if (missing !== undefined) throw invalid(`doesn't answer to ${missing}://, for which it was found; it claims ${driver.schemes.join(", ")}`);
  return driver;
}

function realPathOf(path: string, place: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new RunnerError("NOT_FOUND", `${place} names the driver ${path}, which does not exist`, { hint: "correct the path", cause: error });
  }
}

function programNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => schemeOfProgram(name) !== undefined);
  } catch {
    return [];
  }
}

/** Names of drivers have no `+` and no `.`, which schemes may have. */
function nameOfScheme(scheme: string): string {
  return scheme.replaceAll(/[+.]/g, "-");
}
