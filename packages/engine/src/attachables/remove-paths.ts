import { lstat, rm, rmdir, unlink } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { cleanPath } from "@anyrunner/filesync";
import { isMissing } from "./disk-error.ts";

/**
 * Removes paths below `root` before an export: with a trailing `/` a directory and what is in it, else a file or an
 * empty directory. What isn't there is fine. A path that is absolute or leaves the root is refused, and so is one that
 * goes through a symbolic link.
 */
export async function removePaths(root: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const components = checked(path).split("/");
    if (!(await leadsInside(root, components, path))) continue;
    const target = join(root, ...components);
    if (path.endsWith("/")) await rm(target, { recursive: true, force: true });
    else await removeOne(target);
  }
}

function checked(path: string): string {
  if (isAbsolute(path) || path.startsWith("/")) throw new Error(`invalid remove path ${JSON.stringify(path)}: absolute paths are not allowed`);
  if (path.includes("\\")) throw new Error(`invalid remove path ${JSON.stringify(path)}: backslashes are not allowed in diff paths`);
  const clean = cleanPath(path);
  if (clean === "." || clean === ".." || clean.startsWith("../")) throw new Error(`invalid remove path ${JSON.stringify(path)}: escapes export root`);
  return clean;
}

/** False if a directory on the way isn't there. */
async function leadsInside(root: string, components: readonly string[], path: string): Promise<boolean> {
  for (let depth = 1; depth < components.length; depth++) {
    const stats = await lstat(join(root, ...components.slice(0, depth))).catch(ignoreMissing);
    if (stats === undefined) return false;
    if (stats.isSymbolicLink()) throw new Error(`invalid remove path ${JSON.stringify(path)}: it goes through a symbolic link`);
  }
  return true;
}

async function removeOne(target: string): Promise<void> {
  const stats = await lstat(target).catch(ignoreMissing);
  if (stats?.isDirectory()) await rmdir(target);
  else if (stats !== undefined) await unlink(target);
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
