import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** What a package.json says about the driver in it; read without running anything. */
export interface DriverManifest {
  /** The folder of the package. */
  readonly directory: string;
  readonly packageName: string;
  readonly version: string;
  readonly name: string | undefined;
  readonly schemes: readonly string[] | undefined;
  readonly specVersion: unknown;
  /** The file that an import of the package loads; it may be missing. */
  readonly entry: string;
}

/**
 * Reads the manifest in `directory`; `undefined` when there is none. The driver stands under the key `anyrunner` (or, in
 * packages of this project, `driver`): `{ specVersion, schemes, name }`. The name defaults to what follows `driver-`.
 */
export function readDriverManifest(directory: string): DriverManifest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const packageName = text(value["name"]) ?? "";
  const key = isRecord(value["anyrunner"]) ? value["anyrunner"] : value["driver"];
  const driver = isRecord(key) ? key : {};
  const schemes = driver["schemes"];
  const entry = exportedFile(value["exports"]) ?? text(value["module"]) ?? text(value["main"]) ?? "index.js";
  return {
    directory,
    packageName,
    version: text(value["version"]) ?? "",
    name: text(driver["name"]) ?? /(?:^|[/-])driver-([a-z][a-z0-9-]*)$/.exec(packageName)?.[1],
    schemes: Array.isArray(schemes) && schemes.length > 0 && schemes.every((scheme) => typeof scheme === "string") ? schemes : undefined,
    specVersion: driver["specVersion"],
    entry: resolve(directory, entry),
  };
}

/** The folder of an installed package, looked for in the `node_modules` of `from` and of every folder above. */
export function findInstalledPackage(name: string, from: string): string | undefined {
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    const candidate = join(directory, "node_modules", name);
    if (statSync(join(candidate, "package.json"), { throwIfNoEntry: false })?.isFile()) return candidate;
    if (directory === dirname(directory)) return undefined;
  }
}

/** The file behind `exports["."]` for an import in Node. */
function exportedFile(exports: unknown): string | undefined {
  if (typeof exports === "string") return exports;
  if (Array.isArray(exports)) return exports.map(exportedFile).find((file) => file !== undefined);
  if (!isRecord(exports)) return undefined;
  if ("." in exports) return exportedFile(exports["."]);
  for (const [condition, target] of Object.entries(exports)) {
    if (!["node", "import", "module-sync", "default"].includes(condition)) continue;
    const file = exportedFile(target);
    if (file !== undefined) return file;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
