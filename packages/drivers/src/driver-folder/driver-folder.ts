import { readdirSync } from "node:fs";
import { join } from "node:path";

import { userFolders, type Environment } from "@anyrunner/config";

import { readDriverManifest, type DriverManifest } from "../driver-manifest.ts";

/** A driver in the user's driver folder, as its files say it. */
export interface FolderDriver {
  readonly packageName: string;
  /** The folder that npm installed it into, with its dependencies. */
  readonly prefix: string;
  /** The folder of its package. */
  readonly directory: string;
  readonly manifest: DriverManifest;
}

/** Where drivers are that the user installed: `anyrunner/drivers` below `$XDG_DATA_HOME` or `~/.local/share`. */
export function driverFolder(env: Environment): string {
  return join(userFolders({ env }).data, "drivers");
}

/** Held while something in the driver folder changes its place. */
export function lockFileOf(env: Environment): string {
  return join(driverFolder(env), ".lock");
}

/** The folder of one package, below the driver folder; each has its own dependencies. */
export function prefixOf(packageName: string, env: Environment): string {
  return join(driverFolder(env), packageName.replace("/", "+"));
}

export function packageFolder(prefix: string, packageName: string): string {
  return join(prefix, "node_modules", ...packageName.split("/"));
}

/** What the driver folder holds. Reads manifests, imports nothing. */
export function readDriverFolder(env: Environment): readonly FolderDriver[] {
  return names(driverFolder(env)).flatMap((name) => {
    const packageName = name.replace("+", "/");
    const prefix = prefixOf(packageName, env);
    const directory = packageFolder(prefix, packageName);
    const manifest = readDriverManifest(directory);
    return manifest === undefined ? [] : [{ packageName, prefix, directory, manifest }];
  });
}

/** What begins with a dot is being installed, or being taken away. */
function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch {
    return [];
  }
}
