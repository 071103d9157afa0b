import { randomUUID } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { withFileLock, type Environment, type UserStore } from "@anyrunner/config";
import { RunnerError } from "@anyrunner/core";

import { driverFolder, lockFileOf, readDriverFolder } from "./driver-folder.ts";

export interface RemoveDriverOptions {
  /** The driver's own name, or its package. */
  readonly name: string;
  readonly env: Environment;
  readonly store: UserStore;
}

/**
 * Removes a driver, by its own name or its package, from the user's driver folder, with the consent to it. Gives the package. Fails with NOT_FOUND; with
 * TIMEOUT while another process changes the folder.
 */
export function removeDriver(options: RemoveDriverOptions): Promise<string> {
  return withFileLock(lockFileOf(options.env), () => remove(options));
}

async function remove({ name, env, store }: RemoveDriverOptions): Promise<string> {
  const installed = readDriverFolder(env);
  const { installedDrivers = [] } = await store.read();
  const names = new Set([name, `anyrunner-driver-${name}`, `@anyrunner/driver-${name}`]);
  const found = installed.find(({ packageName, manifest }) => manifest.name === name || names.has(packageName));
  const packageName = found?.packageName ?? installedDrivers.find((one) => names.has(one.package))?.package;
  if (packageName === undefined) {
    const there = installed.map((one) => one.packageName);
    throw new RunnerError("NOT_FOUND", `no driver ${name} is in ${driverFolder(env)}`, {
      hint: there.length === 0 ? "it holds none" : `it holds ${there.join(", ")}`,
    });
  }
  await store.update((settings) => ({ ...settings, installedDrivers: (settings.installedDrivers ?? []).filter((one) => one.package !== packageName) }));
  if (found !== undefined) {
    const old = join(driverFolder(env), `.old-${randomUUID()}`);
    await rename(found.prefix, old);
    await rm(old, { recursive: true, force: true });
  }
  return packageName;
}
