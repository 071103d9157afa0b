import { realpathSync, statSync } from "node:fs";
import { throwIfAborted } from "@anyrunner/core";
import { localDisk, type Disk } from "./disk.ts";
import { createTimeSlice } from "./time-slice.ts";
import type { TreeEntry } from "./tree-entry.ts";
import { createTreeWalk, type TreeSelection } from "./tree-walk.ts";

export interface WalkTreeOptions extends TreeSelection {
  readonly signal?: AbortSignal | undefined;
  readonly disk?: Disk;
}

/**
 * Walks a directory in the order of the protocol: depth first, names by their bytes, a directory before its children,
 * the root itself not among them. Owners are erased (0) and further hard links name the first. Entries that vanish
 * meanwhile are left out; a directory that can't be read fails the walk unless it is filtered out.
 */
export async function* walkTree(options: WalkTreeOptions): AsyncGenerator<TreeEntry, void, undefined> {
  const root = resolveRoot(options.root);
  const walk = createTreeWalk({ ...options, root, disk: options.disk ?? localDisk, owners: "erase" });
  const slice = createTimeSlice();
  for (let entry = walk.next(); entry !== undefined; entry = walk.next()) {
    yield entry;
    if (!slice.isOver()) continue;
    await slice.pause();
    throwIfAborted(options.signal);
  }
}

/** The real path of a directory; throws the file system's error (ENOENT, ENOTDIR) for anything else. */
export function resolveRoot(path: string): string {
  const root = realpathSync(path);
  if (statSync(root).isDirectory()) return root;
  throw Object.assign(new Error(`stat ${path}: not a directory`), { code: "ENOTDIR" });
}
