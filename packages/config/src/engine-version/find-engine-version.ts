import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { baseEngineVersion, compareEngineVersions, minimumClientVersion, RunnerError } from "@anyrunner/core";

import type { Environment } from "../user-folders.ts";
import { installedCliClue } from "./installed-cli.ts";
import { cluesIn } from "./project-clues.ts";
import type { VersionClue } from "./version-clue.ts";

export interface FindEngineVersionOptions {
  readonly cwd: string;
  readonly env: Environment;
  /** Ask the `dagger` on PATH, too, which starts it; `last`: only when the project says nothing. Default false. */
  readonly askCli?: boolean | "last" | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface EngineVersionFinding {
  /** The newest clue: engines accept older clients, but not newer ones than themselves. Absent when nothing says a version. */
  readonly chosen?: VersionClue | undefined;
  /** All of them, in the order in which they were found. */
  readonly clues: readonly VersionClue[];
  /** Those that name another version than the chosen one. */
  readonly conflicts: readonly VersionClue[];
}

/**
 * Which engine version belongs to the project around `cwd`: of SDKs, modules and lockfiles in the nearest folder upwards that
 * has any, not beyond the one with `.git`. Reads a few files, never fails because of them.
 */
export async function findEngineVersion({ cwd, env, askCli = false, signal }: FindEngineVersionOptions): Promise<EngineVersionFinding> {
  const ask = () => installedCliClue({ env, signal });
  const [project, early] = await Promise.all([projectClues(resolve(cwd)), askCli === true ? ask() : undefined]);
  const cli = askCli === "last" && project.length === 0 ? await ask() : early;
  const clues = cli === undefined ? project : [...project, cli];
  const chosen = clues.toSorted((a, b) => compareEngineVersions(b.version, a.version) || Number(b.exact) - Number(a.exact))[0];
  return { chosen, clues, conflicts: clues.filter((clue) => clue.version !== chosen?.version) };
}

/**
 * Checks that one engine can serve all that was found. Fails with VERSION_MISMATCH, naming both sides and the window, when the
 * engine of the chosen version refuses one of the others.
 */
export function requireOneEngine({ chosen, conflicts }: EngineVersionFinding): void {
  if (chosen === undefined) return;
  const minimum = minimumClientVersion(chosen.version);
  const refused = minimum === undefined ? undefined : conflicts.find(({ version }) => compareEngineVersions(baseEngineVersion(version), minimum) < 0);
  if (refused === undefined) return;
  throw new RunnerError(
    "VERSION_MISMATCH",
    `no engine serves both ${describeClue(refused)} and ${describeClue(chosen)}: an engine ${chosen.version} accepts clients from ${minimum} on, and older engines refuse newer ones`,
    {
      hint: "bring both to one version, or name a runner with --runner",
      details: {
        versions: [refused, chosen].map(({ version, of, place }) => ({ version, of, place })),
        ...(minimum !== undefined && { minimumClientVersion: minimum }),
      },
    },
  );
}

/** `v0.21.8 (TypeScript SDK, package-lock.json)`: for messages. */
export function describeClue({ version, of, place, exact }: VersionClue): string {
  return `${version} (${of}, ${exact ? "" : "oldest of the range in "}${place})`;
}

async function projectClues(cwd: string): Promise<readonly VersionClue[]> {
  const root = await repositoryRoot(cwd);
  for (let directory = cwd; ; directory = dirname(directory)) {
    const clues = await cluesIn(directory, root);
    if (clues.length > 0 || directory === root) return clues;
  }
}

/** The nearest folder with `.git`; where there is none, the root of the disk. */
async function repositoryRoot(cwd: string): Promise<string> {
  for (let directory = cwd; ; directory = dirname(directory)) {
    const found = await stat(join(directory, ".git")).catch(() => undefined);
    if (found !== undefined || directory === dirname(directory)) return directory;
  }
}
