import { randomUUID } from "node:crypto";
import { chmod, lstat, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { withFileLock, type Environment, type InstalledDriver, type UserStore } from "@anyrunner/config";
import { RunnerError } from "@anyrunner/core";

import { readDriverManifest } from "../driver-manifest.ts";
import { refuseWhatOthersMayWrite } from "../others-may-write.ts";
import { checkManifest } from "../outside-drivers.ts";
import { driverFolder, lockFileOf, packageFolder, prefixOf } from "./driver-folder.ts";
import { identifyInstalled } from "./installed-identity.ts";
import { packageOfDriver } from "./package-of-driver.ts";

/** What is installed, and how. */
export interface AddDriverOptions {
  /** A driver's name (`kubernetes`), or its package, with a version if need be (`anyrunner-driver-foo@1.2.3`). */
  readonly name: string;
  readonly env: Environment;
  readonly store: UserStore;
  /** Puts the package `spec` into `prefix` as npm does, without running a script of it. */
  readonly install: InstallPackage;
  readonly signal?: AbortSignal | undefined;
}

/** Installs one package with its dependencies into a folder, and runs no script of either. */
export type InstallPackage = (options: { readonly prefix: string; readonly spec: string; readonly signal?: AbortSignal | undefined }) => Promise<void>;

/** What was installed. */
export interface AddedDriver {
  readonly driver: InstalledDriver;
  /** The version that was there before. */
  readonly replaced?: string | undefined;
  readonly name: string;
  readonly schemes: readonly string[];
}

/**
 * Installs a driver into the user's driver folder; that is the user's consent to exactly this version and content. When anything fails, what was there
 * before stays, files and consent.
 *
 * Fails with INVALID_OPTION, ALREADY_EXISTS (it comes with anyrunner), NOT_FOUND (no such package), DRIVER_INVALID, SPEC_MISMATCH, PERMISSION_DENIED
 * (others may write to the folder; or a version that was approved before comes with another content), COMMAND_FAILED, TIMEOUT (another process changes the folder).
 */
export async function addDriver({ name, env, store, install, signal }: AddDriverOptions): Promise<AddedDriver> {
  const { packageName, version } = packageOfDriver(name);
  const folder = driverFolder(env);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const staging = join(folder, `.new-${randomUUID()}`);
  try {
    await mkdir(staging, { mode: 0o700 });
    await refuseWhatOthersMayWrite(staging, "the driver folder");
    await writeFile(join(staging, "package.json"), '{ "private": true }\n', { mode: 0o600 });
    await install({ prefix: staging, spec: `${packageName}@${version}`, signal });
    await takeWriteRightsFromOthers(staging);
    const manifest = readDriverManifest(packageFolder(staging, packageName));
    if (manifest === undefined) throw new RunnerError("DRIVER_INVALID", `npm installed no ${packageName}`, { hint: "check its name" });
    checkManifest(manifest, packageName, undefined);
    const found = await identifyInstalled(staging, packageName);
    const known = (await store.read()).installedDrivers?.find((one) => one.package === packageName);
    refuseAnotherContent(known, found);
    const driver = await withFileLock(lockFileOf(env), () => moveIntoPlace({ staging, packageName, env, found, store }));
    return { driver, replaced: known?.version, name: manifest.name ?? packageName, schemes: manifest.schemes ?? [] };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** What a registry has published under a version doesn't change, so somebody has changed it. */
function refuseAnotherContent(known: InstalledDriver | undefined, found: InstalledDriver): void {
  if (known?.version !== found.version || known.integrity === found.integrity) return;
  throw new RunnerError("PERMISSION_DENIED", `${found.package} ${found.version} is not what you approved under that version: its integrity is another`, {
    hint: `find out why; if it is right: anyrunner drivers rm ${found.package}, and add it again`,
    details: { package: found.package, approved: known.integrity, found: found.integrity },
  });
}

interface Placing {
  readonly staging: string;
  readonly packageName: string;
  readonly env: Environment;
  readonly found: InstalledDriver;
  readonly store: UserStore;
}

/** The consent names a content: until it is written, the new files can't run, and without it the old ones are put back. */
async function moveIntoPlace({ staging, packageName, env, found, store }: Placing): Promise<InstalledDriver> {
  const prefix = prefixOf(packageName, env);
  const old = join(driverFolder(env), `.old-${randomUUID()}`);
  const driver = { ...found, path: packageFolder(prefix, packageName) };
  const had = await rename(prefix, old).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
  try {
    await rename(staging, prefix);
    driver.path = (await identifyInstalled(prefix, packageName)).path;
    await store.update((settings) => ({
      ...settings,
      installedDrivers: [...(settings.installedDrivers ?? []).filter((one) => one.package !== packageName), driver],
    }));
  } catch (error) {
    await rm(prefix, { recursive: true, force: true });
    if (had) await rename(old, prefix);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
  return driver;
}

/** npm gives files the rights that the user's umask leaves. */
async function takeWriteRightsFromOthers(path: string): Promise<void> {
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) return;
  if ((stats.mode & 0o022) !== 0) await chmod(path, stats.mode & 0o7755);
  if (!stats.isDirectory()) return;
  for (const name of await readdir(path)) await takeWriteRightsFromOthers(join(path, name));
}
