import type { BigIntStats } from "node:fs";

/** Remembers which path of an inode was listed first. */
export interface HardLinks {
  /** "" if this path is the first of its inode, else the first. */
  firstPath(stats: BigIntStats, path: string): string;
}

export function createHardLinks(): HardLinks {
  const first = new Map<string, string>();
  return {
    firstPath(stats, path) {
      if (stats.nlink < 2n) return "";
      const inode = `${stats.dev}:${stats.ino}`;
      const known = first.get(inode);
      if (known === undefined) first.set(inode, path);
      return known ?? "";
    },
  };
}
