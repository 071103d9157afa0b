import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { RunnerError } from "@anyrunner/core";

import { isNamedRunner, isRunnerName, type NamedRunner } from "./named-runner.ts";
import { userFolders, type Environment } from "./user-folders.ts";
import { withFileLock } from "./with-file-lock.ts";
import { writeFileAtomically } from "./write-file-atomically.ts";

/** What the user chose. Written by the CLI; keys that this version doesn't know are kept. */
export interface UserSettings {
  /** The runner chosen with `use`: a name of `runners`, or a URL. */
  readonly runner?: string | undefined;
  /** The runners that have names, by name. */
  readonly runners?: Readonly<Record<string, NamedRunner>> | undefined;
  /** Driver files of projects that the user allowed to run. */
  readonly trustedDrivers?: readonly TrustedDriver[] | undefined;
  /** What the user put into the driver folder. */
  readonly installedDrivers?: readonly InstalledDriver[] | undefined;
}

/** A driver that the user installed, as it was then: the installation is the consent to exactly this. */
export interface InstalledDriver extends TrustedDriver {
  readonly package: string;
  /** The exact version. */
  readonly version: string;
  /** Of the tarball, as the registry stated and npm checked it: `sha512-…`. */
  readonly integrity: string;
  /** Of the versions and integrities of everything that it depends on. Hexadecimal. */
  readonly dependencies: string;
}

export interface TrustedDriver {
  /** Absolute, with symbolic links resolved. */
  readonly path: string;
  /** Of the file's content when it was allowed: another content must be allowed again. Hexadecimal. */
  readonly sha256: string;
}

export interface UserStore {
  readonly file: string;
  /** Empty settings when there is no file. Fails with INVALID_CONFIG. */
  read(): Promise<UserSettings>;
  /** Reads, changes and writes as one step, also against other processes. */
  update(change: (settings: UserSettings) => UserSettings): Promise<UserSettings>;
}

/** The user's own file, `anyrunner/config.json` below `$XDG_CONFIG_HOME` or `~/.config`. Opening touches no disk. */
export function openUserStore({ env }: { readonly env: Environment }): UserStore {
  const file = join(userFolders({ env }).config, "config.json");
  const read = async () => parseUserSettings(await readIfPresent(file), file);
  return {
    file,
    read,
    update: (change) =>
      withFileLock(`${file}.lock`, async () => {
        const settings = change(await read());
        await writeFileAtomically(file, `${JSON.stringify(settings, undefined, 2)}\n`);
        return settings;
      }),
  };
}

/** Checks the text of a user file. Fails with INVALID_CONFIG. */
export function parseUserSettings(text: string | undefined, file: string): UserSettings {
  if (text === undefined) return {};
  const invalid = (what: string) => new RunnerError("INVALID_CONFIG", `${file}: ${what}`, { hint: "correct it, or remove the file to start afresh" });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`it is no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("it holds no object");
  const settings = value as Record<string, unknown>;
  if (settings["runner"] !== undefined && typeof settings["runner"] !== "string") throw invalid('"runner" is no text');
  const runners = settings["runners"];
  if (runners !== undefined && !isNamedRunners(runners)) throw invalid('"runners" is no map of names to { url }');
  const trusted = settings["trustedDrivers"];
  if (trusted !== undefined && !(Array.isArray(trusted) && trusted.every(isTrustedDriver))) throw invalid('"trustedDrivers" is no list of { path, sha256 }');
  const installed = settings["installedDrivers"];
  if (installed !== undefined && !(Array.isArray(installed) && installed.every(isInstalledDriver))) {
    throw invalid('"installedDrivers" is no list of { path, sha256, package, version, integrity, dependencies }');
  }
  return settings;
}

function isNamedRunners(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, runner]) => isRunnerName(name) && isNamedRunner(runner));
}

function isTrustedDriver(value: unknown): value is TrustedDriver {
  return (
    typeof value === "object" && value !== null && typeof (value as TrustedDriver).path === "string" && typeof (value as TrustedDriver).sha256 === "string"
  );
}

function isInstalledDriver(value: unknown): value is InstalledDriver {
  if (!isTrustedDriver(value)) return false;
  const { package: name, version, integrity, dependencies } = value as Partial<InstalledDriver>;
  return [name, version, integrity, dependencies].every((fact) => typeof fact === "string");
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new RunnerError(code === "EACCES" ? "PERMISSION_DENIED" : "INVALID_CONFIG", `${file} can't be read: ${code ?? "unknown"}`, { cause: error });
  }
}
