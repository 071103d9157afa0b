import { createHash } from "node:crypto";
import { readFile, realpath } from "node:fs/promises";
import { delimiter, isAbsolute, resolve, sep } from "node:path";

import type { TrustedDriver, UserStore } from "@anyrunner/config";
import { RunnerError } from "@anyrunner/core";

/** Drivers that may run without having been allowed one by one: `all`, or absolute files and folders, separated as in PATH. */
export const TRUST_VARIABLE = "ANYRUNNER_TRUST_DRIVERS";

export interface DriverConsentOptions {
  /** The file that would be imported. */
  readonly file: string;
  /** For the message: who names this driver. */
  readonly place: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly store: UserStore;
}

/**
 * Passes when the user allowed this file with this content, or the environment trusts it. A repository can't allow its own
 * drivers: neither place belongs to it. Fails with NOT_FOUND or PERMISSION_DENIED; nothing of the file has run then.
 */
export async function requireDriverConsent({ file, place, env, store }: DriverConsentOptions): Promise<void> {
  const found = await identifyDriver(file);
  if (isTrustedByEnvironment(found.path, env)) return;
  const { trustedDrivers = [] } = await store.read();
  const known = trustedDrivers.filter((driver) => driver.path === found.path);
  if (known.some((driver) => driver.sha256 === found.sha256)) return;
  const changed = known.length > 0;
  throw new RunnerError(
    "PERMISSION_DENIED",
    `the driver ${file}, named by ${place}, ${changed ? "has changed since you allowed it" : "may not run before you allow it"}`,
    {
      hint: `read it, then run: anyrunner drivers trust ${file} (in CI: ${TRUST_VARIABLE}=${found.path})`,
      details: { path: found.path, sha256: found.sha256 },
    },
  );
}

/** Remembers the consent of the user. */
export async function trustDriver(file: string, store: UserStore): Promise<TrustedDriver> {
  const found = await identifyDriver(file);
  await store.update((settings) => ({
    ...settings,
    trustedDrivers: [...(settings.trustedDrivers ?? []).filter((driver) => driver.path !== found.path), found],
  }));
  return found;
}

async function identifyDriver(file: string): Promise<TrustedDriver> {
  try {
    const path = await realpath(file);
    return {
      path,
      sha256: createHash("sha256")
        .update(await readFile(path))
        .digest("hex"),
    };
  } catch (error) {
    throw new RunnerError("NOT_FOUND", `there is no driver file ${file}`, { hint: "check the path", cause: error });
  }
}

function isTrustedByEnvironment(path: string, env: DriverConsentOptions["env"]): boolean {
  const value = env[TRUST_VARIABLE] ?? "";
  if (value === "all") return true;
  return value
    .split(delimiter)
    .filter((entry) => isAbsolute(entry))
    .map((entry) => resolve(entry))
    .some((entry) => path === entry || path.startsWith(entry.endsWith(sep) ? entry : `${entry}${sep}`));
}
