import { readFileSync } from "node:fs";
import { basename } from "node:path";

import { findLockfile } from "./package-manager.ts";

export interface LockfilePinOptions {
  /** The folder whose lockfile counts; found upwards. */
  readonly directory: string;
  readonly name: string;
  readonly version: string;
}

/**
 * Whether the project's lockfile pins exactly this version of the package, from a registry. A link into the repository itself
 * is no pin: whoever wrote the repository wrote that code, too.
 */
export function isPinnedByLockfile({ directory, name, version }: LockfilePinOptions): boolean {
  const file = findLockfile(directory);
  if (file === undefined) return false;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return false;
  }
  switch (basename(file)) {
    case "pnpm-lock.yaml":
      return text.split("\n").some((line) => new RegExp(`^  ['"]?/?${escape(name)}@${escape(version)}(\\(.*\\))?['"]?:`).test(line));
    case "yarn.lock":
      return yarnPins(text, name, version);
    case "bun.lock":
      return text.includes(`["${name}@${version}"`);
    case "bun.lockb":
      return false;
    default:
      return npmPins(text, name, version);
  }
}

function npmPins(text: string, name: string, version: string): boolean {
  try {
    const { packages = {} } = JSON.parse(text) as {
      readonly packages?: Readonly<Record<string, { readonly version?: string; readonly link?: boolean; readonly integrity?: string }>>;
    };
    return Object.entries(packages).some(
      ([path, entry]) => path.endsWith(`node_modules/${name}`) && entry.version === version && entry.integrity !== undefined,
    );
  } catch {
    return false;
  }
}

/** Blocks of `"name@npm:^1.0.0":` or `name@^1.0.0:` with a version line below. */
function yarnPins(text: string, name: string, version: string): boolean {
  return text.split(/\n\s*\n/).some((block) => {
    const [head = "", ...rest] = block
      .trim()
      .split("\n")
      .filter((line) => !line.startsWith("#"));
    const names = head.replaceAll('"', "").replace(/:$/, "").split(/,\s*/);
    if (!names.some((entry) => entry.startsWith(`${name}@`) && !/@(workspace|file|link|portal):/.test(entry.slice(name.length)))) return false;
    return rest.some((line) => new RegExp(`^\\s+version:? "?${escape(version)}"?$`).test(line));
  });
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
