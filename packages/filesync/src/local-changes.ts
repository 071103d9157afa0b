import { localDisk } from "./disk.ts";
import { isSameDiskTime } from "./disk-time.ts";
import { isDirectory } from "./file-mode.ts";
import type { FileStat } from "./file-stat.ts";
import { comparePaths } from "./path-order.ts";
import { createTreeWalk } from "./tree-walk.ts";

/** Compares a listing with the tree that it shall replace. */
export interface LocalChanges {
  /** Whether what is on disk is what `stat` says. Entries come in listing order. */
  isSame(stat: FileStat): boolean;
  /** After the last entry: everything on disk that the listing doesn't have; a directory stands for what is in it. */
  leftovers(): readonly string[];
}

/** `root` must be a real path. The tree is read piece by piece, each directory before anything in it is compared. */
export function createLocalChanges(root: string): LocalChanges {
  const walk = createTreeWalk({ root, disk: localDisk, owners: "keep" });
  const removed: string[] = [];
  let local: FileStat | undefined = walk.next()?.stat;

  return {
    isSame(stat) {
      passUpTo(stat.path);
      if (local === undefined || local.path !== stat.path) return false;
      const found = local;
      if (isDirectory(found.mode) && !isDirectory(stat.mode)) walk.skipChildren();
      local = walk.next()?.stat;
      return isSameFile(found, stat);
    },
    leftovers() {
      passUpTo(undefined);
      return removed;
    },
  };

  function passUpTo(path: string | undefined): void {
    while (local !== undefined && (path === undefined || comparePaths(local.path, path) < 0)) {
      removed.push(local.path);
      if (isDirectory(local.mode)) walk.skipChildren();
      local = walk.next()?.stat;
    }
  }
}

function isSameFile(local: FileStat, incoming: FileStat): boolean {
  const sameContent = isDirectory(local.mode) || (local.size === incoming.size && isSameDiskTime(local.modTimeNs, incoming.modTimeNs));
  return (
    sameContent &&
    local.mode === incoming.mode &&
    local.uid === incoming.uid &&
    local.gid === incoming.gid &&
    local.devmajor === incoming.devmajor &&
    local.devminor === incoming.devminor &&
    local.linkname === incoming.linkname
  );
}
