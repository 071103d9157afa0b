import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { driverNames, packageName, renamed } from "./driver-names.ts";
import { packageManifest, repositoryManifest } from "./package-manifest.ts";
import { knownVersions, templateFiles, templateManifest } from "./template-files.ts";

export interface CreateDriverOptions {
  /** Name of the driver, and of its scheme. */
  readonly name: string;
  /** Folder in which the package's folder is made. */
  readonly cwd: string;
  /** Make a package of anyrunner's own repository, whose root is `cwd`. Default false. */
  readonly inRepository?: boolean | undefined;
}

export interface CreatedDriver {
  /** The package's folder, absolute. */
  readonly directory: string;
  readonly packageName: string;
  readonly files: readonly string[];
}

/**
 * Makes the folder of a new driver's package: all of it, or nothing. Throws an Error that says what is wrong: a name that is none, or a
 * folder (a file, a link) that is there already.
 */
export function createDriver({ name, cwd, inRepository = false }: CreateDriverOptions): CreatedDriver {
  const names = driverNames(name);
  const files = new Map([...templateFiles()].map(([file, text]) => [file, renamed(text, names)]));
  if (inRepository) {
    // The repository's own tools say how packages are checked and built.
    for (const file of [...files.keys()]) if (!file.startsWith("src/") && file !== "README.md") files.delete(file);
    files.set("README.md", (files.get("README.md") ?? "").replaceAll(packageName(names), `@anyrunner/driver-${names.kebab}`));
    files.set("package.json", repositoryManifest(templateManifest(), names));
  } else {
    files.set("package.json", packageManifest(templateManifest(), names, knownVersions()));
  }
  const directory = inRepository ? join(cwd, "packages", `driver-${names.kebab}`) : join(cwd, packageName(names));
  makeFolder(directory);
  try {
    for (const [file, text] of files) {
      const path = join(directory, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { flag: "wx" });
    }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return { directory, packageName: inRepository ? `@anyrunner/driver-${names.kebab}` : packageName(names), files: [...files.keys()].toSorted() };
}

/** Fails when anything of that name is there: nothing is ever written into what exists. */
function makeFolder(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new Error(`${directory} is there already; choose another name, or remove it`, { cause: error });
  }
}
