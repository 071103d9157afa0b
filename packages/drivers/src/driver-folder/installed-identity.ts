import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { InstalledDriver } from "@anyrunner/config";
import { RunnerError } from "@anyrunner/core";

import { identifyDriver } from "../driver-files.ts";
import { packageFolder } from "./driver-folder.ts";

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
}

/** What lies in `prefix` now: the driver's files, and what npm noted of it and of its dependencies. Fails with DRIVER_INVALID. */
export async function identifyInstalled(prefix: string, packageName: string): Promise<InstalledDriver> {
  const locked = await readLock(prefix);
  const { version, integrity } = locked[`node_modules/${packageName}`] ?? {};
  if (version === undefined || integrity === undefined) throw invalid(prefix, packageName);
  const { path, sha256 } = await identifyDriver(packageFolder(prefix, packageName));
  const dependencies = createHash("sha256");
  for (const [place, one] of Object.entries(locked).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    dependencies.update(`${place}\0${one.version ?? ""}\0${one.integrity ?? ""}\n`);
  }
  return { path, sha256, package: packageName, version, integrity, dependencies: dependencies.digest("hex") };
}

/** The note that npm leaves of what it has put there. */
async function readLock(prefix: string): Promise<Readonly<Record<string, LockedPackage>>> {
  try {
    const text = await readFile(join(prefix, "node_modules", ".package-lock.json"), "utf8");
    return (JSON.parse(text) as { readonly packages?: Readonly<Record<string, LockedPackage>> }).packages ?? {};
  } catch {
    return {};
  }
}

function invalid(prefix: string, packageName: string): RunnerError {
  return new RunnerError("DRIVER_INVALID", `${prefix} holds no ${packageName} that npm has installed from a registry`, {
    hint: `run: anyrunner drivers add ${packageName}`,
    details: { package: packageName },
  });
}
