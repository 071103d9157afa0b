import { readdirSync } from "node:fs";
import { isAbsolute, join, normalize, sep } from "node:path";

export interface PathBase {
  /** Absolute. */
  readonly cwd: string;
  readonly home: string;
}

/**
 * Turns a path of the engine into an absolute one (engine protocol 5.3): lexically clean, `~` and `~/…` are the home
 * (`~user` stays as it is), what is relative starts from the working directory. Nothing on disk is looked at.
 */
export function resolveClientPath(path: string, base: PathBase): string {
  const clean = cleanNative(path);
  const expanded = /^~($|[/\\])/.test(clean) && base.home !== "" ? base.home + clean.slice(1) : clean;
  return cleanNative(isAbsolute(expanded) ? expanded : join(onDiskCase(base.cwd), expanded));
}

/** With `/` between components, as the engine wants it. */
export function toSlash(path: string): string {
  return sep === "/" ? path : path.replaceAll(sep, "/");
}

function cleanNative(path: string): string {
  const normal = normalize(path === "" ? "." : path);
  return normal.length > 1 && normal.endsWith(sep) && !/^[a-z]:\\$/i.test(normal) ? normal.slice(0, -1) : normal;
}

/**
 * On macOS a directory can be entered by a name in another case; the engine compares paths with listings, so the
 * working directory is spelled as its parents list it.
 */
function onDiskCase(cwd: string): string {
  if (process.platform !== "darwin") return cwd;
  try {
    return cwd
      .split("/")
      .filter((name) => name !== "")
      .reduce((parent, name) => join(parent, listedName(parent, name)), "/");
  } catch {
    return cwd;
  }
}

function listedName(parent: string, name: string): string {
  const names = readdirSync(parent);
  if (names.includes(name)) return name;
  return names.find((listed) => listed.toLowerCase() === name.toLowerCase()) ?? name;
}
