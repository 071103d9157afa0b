import { realpathSync } from "node:fs";
import { delimiter, isAbsolute, resolve, sep } from "node:path";

import type { UserStore } from "@anyrunner/config";
import { RunnerError } from "@anyrunner/core";

import { identifyDriver, type DriverIdentity } from "./driver-files.ts";
import { refuseProgramOfOthers } from "./others-may-write.ts";
import { isProgramFile } from "./program-file.ts";

/** Drivers that may run without having been allowed one by one: `all`, or absolute files and folders, separated as in PATH. */
export const TRUST_VARIABLE = "ANYRUNNER_TRUST_DRIVERS";

/** Whose code is to run, and where consent to that is kept. */
export interface DriverConsentOptions {
  /** The file of the driver, or the folder of its package. */
  readonly path: string;
  /** For the message: who names this driver. */
  readonly place: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly store: UserStore;
}

/**
 * Passes when the user allowed this driver as it is now, or the environment trusts it. A repository can't allow its own drivers:
 * neither place belongs to it. Fails with NOT_FOUND, DRIVER_INVALID or PERMISSION_DENIED; nothing of the driver has run then.
 */
export async function requireDriverConsent({ path, place, env, store }: DriverConsentOptions): Promise<void> {
  const trusted = readTrustVariable(env);
  if (trusted.all) return;
  const found = await identifyDriver(path);
  if (trusted.paths.some((entry) => isWithin(found.path, entry) || isWithin(realpathSync(path), entry))) return;
  const { trustedDrivers = [] } = await store.read();
  const known = trustedDrivers.filter((driver) => driver.path === found.path);
  if (known.some((driver) => driver.sha256 === found.sha256)) return;
  const changed = known.length > 0;
  throw new RunnerError(
    "PERMISSION_DENIED",
    `the driver ${path}, named by ${place}, ${changed ? "has changed since you allowed it" : "may not run before you allow it"}`,
    {
      hint: `read it, then run: anyrunner drivers trust ${path} (in CI: ${TRUST_VARIABLE}=${found.path})${ignoredText(trusted.ignored)}`,
      details: { path: found.path, sha256: found.sha256, changed },
    },
  );
}

/**
 * Remembers the consent of the user to the driver at `path`, a file or the folder of a package. Fails with NOT_FOUND, DRIVER_INVALID, or
 * PERMISSION_DENIED for a program that would be refused all the same, since others may write to it.
 */
export async function trustDriver(path: string, store: UserStore): Promise<DriverIdentity> {
  const found = await identifyDriver(path);
  if (isProgramFile(found.path)) await refuseProgramOfOthers(found.path, path);
  await store.update((settings) => ({
    ...settings,
    trustedDrivers: [...(settings.trustedDrivers ?? []).filter((driver) => driver.path !== found.path), { path: found.path, sha256: found.sha256 }],
  }));
  return found;
}

interface TrustVariable {
  readonly all: boolean;
  readonly paths: readonly string[];
  /** What stands there and counts for nothing. */
  readonly ignored: readonly string[];
}

function readTrustVariable(env: DriverConsentOptions["env"]): TrustVariable {
  const value = env[TRUST_VARIABLE] ?? "";
  const entries = value.split(delimiter).filter((entry) => entry !== "");
  return {
    all: value === "all",
    paths: entries.filter((entry) => isAbsolute(entry)).map(realPath),
    ignored: entries.filter((entry) => !isAbsolute(entry)),
  };
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

function ignoredText(ignored: readonly string[]): string {
  if (ignored.length === 0) return "";
  const list = ignored.map((entry) => `"${entry}"`).join(", ");
  return `; ${list} of ${TRUST_VARIABLE} counts for nothing: it takes absolute paths, separated by "${delimiter}", or the one word all`;
}
