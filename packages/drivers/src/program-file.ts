import { statSync } from "node:fs";
import { basename, extname } from "node:path";

const PREFIX = "anyrunner-driver-";
/** What Node imports instead of starting it. */
const MODULES: ReadonlySet<string> = new Set([".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".json", ".node", ".wasm"]);

/** The scheme of a program by its name, `anyrunner-driver-<scheme>`; on Windows `.exe` and the like are no part of it. */
export function schemeOfProgram(name: string): string | undefined {
  const bare = process.platform === "win32" ? name.replace(/\.(exe|cmd|bat)$/i, "") : name;
  if (!bare.startsWith(PREFIX)) return undefined;
  const scheme = bare.slice(PREFIX.length);
  return /^[a-z][a-z0-9.+-]*$/.test(scheme) && !MODULES.has(extname(bare)) ? scheme : undefined;
}

/** Whether a driver's path leads to a file that is started, instead of a module or a package that is imported. */
export function isProgramFile(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return false;
  return schemeOfProgram(basename(path)) !== undefined || !MODULES.has(extname(path));
}
