import { readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";

import { NODE_LOCKFILES } from "./node-lockfile.ts";
import { oldestOfRange, releasedVersion, type VersionClue } from "./version-clue.ts";

const NODE_PACKAGE = "@dagger.io/dagger";
const PYTHON_PACKAGE = String.raw`dagger[-_.]io`;
const PYTHON_LOCKFILES = ["uv.lock", "poetry.lock", "pdm.lock"] as const;

/** What the files of one folder say; lockfiles are found upwards to `root`, since those of a workspace lie above its members. */
export async function cluesIn(directory: string, root: string): Promise<readonly VersionClue[]> {
  const found = await Promise.all([nodeClue(directory, root), pythonClue(directory, root), goClue(directory), moduleClue(directory)]);
  return found.filter((clue) => clue !== undefined);
}

async function nodeClue(directory: string, root: string): Promise<VersionClue | undefined> {
  const file = join(directory, "package.json");
  const requirement = nodeRequirement(await readText(file));
  if (requirement === undefined) return undefined;
  for (const folder of upwards(directory, root)) {
    for (const [name, read] of NODE_LOCKFILES) {
      const text = await readText(join(folder, name));
      if (text === undefined) continue;
      const locked = read(text, { name: NODE_PACKAGE, importer: relative(folder, directory).split(sep).join("/"), requirement });
      const version = locked === undefined ? undefined : releasedVersion(locked);
      if (version !== undefined) return { version, exact: true, of: "TypeScript SDK", place: join(folder, name) };
    }
  }
  const oldest = oldestOfRange(requirement);
  return oldest && { ...oldest, of: "TypeScript SDK", place: file };
}

function nodeRequirement(text: string | undefined): string | undefined {
  const manifest = parseObject(text);
  for (const key of ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]) {
    const requirement = (manifest[key] as Readonly<Record<string, unknown>> | undefined)?.[NODE_PACKAGE];
    if (typeof requirement === "string") return requirement;
  }
  return undefined;
}

async function pythonClue(directory: string, root: string): Promise<VersionClue | undefined> {
  const project = await readText(join(directory, "pyproject.toml"));
  const requirements = await readText(join(directory, "requirements.txt"));
  if (project === undefined && requirements === undefined) return undefined;
  const listed = pythonRequirement(project);
  if (listed !== undefined) {
    for (const folder of upwards(directory, root)) {
      for (const name of PYTHON_LOCKFILES) {
        const locked = new RegExp(`^name = "${PYTHON_PACKAGE}"\r?\nversion = "([^"]+)"`, "m").exec((await readText(join(folder, name))) ?? "")?.[1];
        const version = locked === undefined ? undefined : releasedVersion(locked);
        if (version !== undefined) return { version, exact: true, of: "Python SDK", place: join(folder, name) };
      }
    }
  }
  const pinned = new RegExp(String.raw`^\s*${PYTHON_PACKAGE}(?:\[[^\]]*\])?\s*([^\s;#][^;#\n]*)`, "im").exec(requirements ?? "")?.[1];
  const candidates = [
    [pinned, "requirements.txt"],
    [listed, "pyproject.toml"],
  ] as const;
  for (const [requirement, name] of candidates) {
    const oldest = requirement === undefined ? undefined : oldestOfRange(requirement);
    if (oldest !== undefined) return { ...oldest, of: "Python SDK", place: join(directory, name) };
  }
  return undefined;
}

/** As a string of a list (`"dagger-io>=0.18"`), or as Poetry's key. Empty when the package is named without a version. */
function pythonRequirement(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const listed = new RegExp(String.raw`["']${PYTHON_PACKAGE}(?:\[[^\]]*\])?\s*([^"';]*)["';]`, "i").exec(text)?.[1];
  const keyed = new RegExp(String.raw`^${PYTHON_PACKAGE}\s*=\s*(?:["']([^"']+)["']|\{[^}\n]*version\s*=\s*["']([^"']+)["'])`, "im").exec(text);
  return listed ?? keyed?.[1] ?? keyed?.[2];
}

async function goClue(directory: string): Promise<VersionClue | undefined> {
  const place = join(directory, "go.mod");
  const text = await readText(place);
  if (text === undefined) return undefined;
  const replaced = /^\s*(?:replace\s+)?dagger\.io\/dagger(?:\s+v\S+)?\s*=>\s*(\S+)(?:[ \t]+(v\S+))?/m.exec(text);
  const version = replaced === null ? /^\s*(?:require\s+)?dagger\.io\/dagger\s+(v\S+)/m.exec(text)?.[1] : replaced[2];
  const released = version === undefined ? undefined : releasedVersion(version);
  return released === undefined ? undefined : { version: released, exact: true, of: "Go SDK", place };
}

async function moduleClue(directory: string): Promise<VersionClue | undefined> {
  const place = join(directory, "dagger.json");
  const { engineVersion } = parseObject(await readText(place));
  const version = typeof engineVersion === "string" ? releasedVersion(engineVersion) : undefined;
  return version === undefined ? undefined : { version, exact: true, of: "module", place };
}

function* upwards(from: string, root: string): Generator<string> {
  for (let directory = from; ; directory = dirname(directory)) {
    yield directory;
    if (directory === root || directory === dirname(directory)) return;
  }
}

/** A file that can't be read says nothing: what it belongs to has its own words for it. */
async function readText(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}

function parseObject(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
