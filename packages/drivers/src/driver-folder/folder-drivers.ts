import { lstat } from "node:fs/promises";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

import type { UserStore } from "@anyrunner/config";
import { RunnerError, type DriverEntry } from "@anyrunner/core";

import { importDriver } from "../import-driver.ts";
import { refuseWhatOthersMayWrite } from "../others-may-write.ts";
import { checkManifest } from "../outside-drivers.ts";
import { outsideEntry, type OutsideDriversOptions } from "../outside-entry.ts";
import { readDriverFolder, type FolderDriver } from "./driver-folder.ts";
import { identifyInstalled } from "./installed-identity.ts";

/** The drivers that the user installed. Reads manifests, imports nothing. */
export function folderDrivers(options: OutsideDriversOptions): readonly DriverEntry[] {
  return readDriverFolder(options.env).map((driver) => {
    const { packageName, manifest } = driver;
    const name = manifest.name ?? packageName;
    return outsideEntry({
      name,
      schemes: manifest.schemes ?? [name],
      origin: packageName,
      foundBy: "driver folder",
      version: manifest.version,
      specVersion: manifest.specVersion,
      check: async () => {
        checkManifest(manifest, packageName, undefined);
        await requireInstalled(driver, options.store);
      },
      load: () => importDriver({ package: packageName, load: () => import(pathToFileURL(manifest.entry).href), ...options }),
    });
  });
}

/** Passes when what is there is what the user installed, and nobody else can have changed it. Fails with PERMISSION_DENIED or DRIVER_INVALID. */
async function requireInstalled({ packageName, prefix, directory }: FolderDriver, store: UserStore): Promise<void> {
  // Where others can't even enter, the rights of the dependencies, thousands of files, don't matter.
  const isClosed = ((await lstat(dirname(prefix))).mode & 0o077) === 0;
  await refuseWhatOthersMayWrite(isClosed ? directory : prefix, `the driver ${packageName}`);
  const found = await identifyInstalled(prefix, packageName);
  const { installedDrivers = [] } = await store.read();
  const known = installedDrivers.filter((one) => one.package === packageName);
  const facts = ["path", "version", "integrity", "sha256", "dependencies"] as const;
  if (known.some((one) => facts.every((fact) => one[fact] === found[fact]))) return;
  const changed = known.length > 0;
  throw new RunnerError(
    "PERMISSION_DENIED",
    `the driver ${packageName} in ${prefix} ${changed ? "has changed since you installed it" : "was not installed by anyrunner drivers add"}`,
    {
      hint: `run: anyrunner drivers rm ${packageName}, and to have it again: anyrunner drivers add ${packageName}`,
      details: { package: packageName, changed },
    },
  );
}
