import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";

import { RunnerError } from "@anyrunner/core";

import { readDriverManifest } from "./driver-manifest.ts";
import { findUpwards } from "./package-manager.ts";
import { isProgramFile } from "./program-file.ts";

/** The code of an outside driver, as far as a consent covers it. */
export interface DriverIdentity {
  /** The package's folder, or the file of a driver without one; absolute, symbolic links resolved. */
  readonly path: string;
  /** Over the names and contents of all its files. Hexadecimal. */
  readonly sha256: string;
  readonly fileCount: number;
}

const MAX_FILES = 20_000;
const MAX_BYTES = 512 * 1024 * 1024;
const CODE = new Set([".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"]);
const DATA = new Set([".json", ".node", ".wasm"]);
/** What Node or a loader tries behind a path without extension. */
const GUESSES = ["", ".js", ".ts", ".mjs", ".cjs", ".json", "/index.js", "/index.ts", "/index.cjs"];
/** Files that mark a folder as a whole project instead of the folder of one driver. */
const PROJECT_MARKS = ["package.json", "anyrunner.config.yaml", "anyrunner.config.json", ".git"];

/**
 * Reads all files of the driver at `place`, a file or the folder of a package. Of a package: its whole folder. Of a program: that one file. Of another single file: the
 * code beside it, unless its folder is a project's. Of both: whatever the code names by a relative path. What it imports by name comes
 * from `node_modules`, and is not covered.
 * Fails with NOT_FOUND, or with DRIVER_INVALID when that is more than 20,000 files or 512 MiB.
 */
export async function identifyDriver(place: string): Promise<DriverIdentity> {
  const path = await findRoot(place);
  const isFolder = (await stat(path)).isDirectory();
  if (!isFolder && isProgramFile(path)) return identifyProgram(path);
  const base = isFolder ? path : dirname(path);
  const waiting = isFolder ? await filesBelow(base) : [path, ...(await loadableBeside(base))];
  const digests = new Map<string, string>();
  let bytes = 0;
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (digests.has(file)) continue;
    const content = await readFile(file).catch(() => undefined);
    if (content === undefined) {
      digests.set(file, "unreadable");
      continue;
    }
    bytes += content.length;
    digests.set(file, createHash("sha256").update(content).digest("hex"));
    if (digests.size > MAX_FILES || bytes > MAX_BYTES) throw tooLarge(path);
    if (CODE.has(extname(file)) || basename(file) === "package.json") waiting.push(...(await relativeImports(file, content.toString("utf8"))));
  }
  const all = createHash("sha256");
  for (const [file, digest] of [...digests].toSorted(([a], [b]) => (a < b ? -1 : 1))) all.update(`${relative(base, file)}\0${digest}\n`);
  return { path, sha256: all.digest("hex"), fileCount: digests.size };
}

/** Of a program the one file: what it loads is known to its own language only. */
async function identifyProgram(path: string): Promise<DriverIdentity> {
  const content = await readFile(path);
  return { path, sha256: createHash("sha256").update(content).digest("hex"), fileCount: 1 };
}

async function findRoot(place: string): Promise<string> {
  let path: string;
  let isFolder: boolean;
  try {
    path = await realpath(place);
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    throw new RunnerError("NOT_FOUND", `there is no driver at ${place}`, { hint: "check the path", cause: error });
  }
  if (isFolder) {
    if (readDriverManifest(path) !== undefined) return path;
    throw new RunnerError("NOT_FOUND", `${place} has no package.json, so it is no driver`, { hint: "name the file of the driver instead" });
  }
  const manifest = isProgramFile(path) ? undefined : findUpwards(dirname(path), "package.json");
  if (manifest === undefined) return path;
  const folder = dirname(manifest);
  const isDriver = readDriverManifest(folder)?.schemes !== undefined || /[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+$/.test(folder);
  return isDriver ? folder : path;
}

/** What a single file could load from its own folder; nothing where that is a whole project, whose files change for other reasons. */
async function loadableBeside(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  if (entries.some(({ name }) => PROJECT_MARKS.includes(name))) return [];
  return entries.filter((entry) => entry.isFile() && (CODE.has(extname(entry.name)) || DATA.has(extname(entry.name)))).map(({ name }) => join(folder, name));
}

async function filesBelow(folder: string, visited = new Set<string>()): Promise<string[]> {
  if (visited.has(folder)) return [];
  visited.add(folder);
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name === ".git") continue;
    const path = join(folder, entry.name);
    const kind = entry.isSymbolicLink() ? await followLink(path) : { path, entry };
    if (kind?.entry.isDirectory()) found.push(...(await filesBelow(kind.path, visited)));
    else if (kind?.entry.isFile()) found.push(kind.path);
    if (found.length > MAX_FILES) throw tooLarge(folder);
  }
  return found;
}

async function followLink(path: string): Promise<{ readonly path: string; readonly entry: Pick<Dirent, "isDirectory" | "isFile"> } | undefined> {
  try {
    const target = await realpath(path);
    return { path: target, entry: await stat(target) };
  } catch {
    return undefined;
  }
}

/** Every file that a string in the code names by a relative path: imports of all forms, and files that are read beside them. */
async function relativeImports(file: string, code: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [, name = ""] of code.matchAll(/["'`](\.{1,2}\/[^"'`\n\r?#]+)/g)) {
    for (const guess of GUESSES) {
      const target = await existingFile(resolve(dirname(file), `${name}${guess}`));
      if (target === undefined) continue;
      found.push(target);
      break;
    }
  }
  return found;
}

async function existingFile(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).isFile() ? await realpath(path) : undefined;
  } catch {
    return undefined;
  }
}

function tooLarge(path: string): RunnerError {
  return new RunnerError("DRIVER_INVALID", `${path} holds more files than a consent can cover`, {
    hint: "put the driver into a folder of its own, with a package.json that announces it",
  });
}
