import { throwIfAborted } from "@anyrunner/core";
import { localDisk } from "./disk.ts";
import { isDirectory } from "./file-mode.ts";
import { parsePattern } from "./pattern.ts";
import { createTimeSlice } from "./time-slice.ts";
import { createTreeWalk } from "./tree-walk.ts";
import { resolveRoot } from "./walk-tree.ts";

/**
 * The paths below `root` that match one pattern as a whole, in listing order, directories with a `/` behind them.
 * Throws a FilesyncError `invalid` for a bad pattern, the file system's error for a bad root.
 */
export async function globTree(options: {
  readonly root: string;
  readonly pattern: string;
  readonly signal?: AbortSignal | undefined;
}): Promise<readonly string[]> {
  const pattern = parsePattern(options.pattern);
  if (pattern === undefined || pattern.negated) return [];
  const walk = createTreeWalk({ root: resolveRoot(options.root), disk: localDisk, owners: "erase" });
  const slice = createTimeSlice();
  const found: string[] = [];
  for (let entry = walk.next(); entry !== undefined; entry = walk.next()) {
    const { path, mode } = entry.stat;
    if (pattern.matches(path)) found.push(isDirectory(mode) ? `${path}/` : path);
    if (isDirectory(mode) && !pattern.reachesBelow(path.split("/"))) walk.skipChildren();
    if (!slice.isOver()) continue;
    await slice.pause();
    throwIfAborted(options.signal);
  }
  return found;
}
