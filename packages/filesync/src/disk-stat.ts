import type { BigIntStats } from "node:fs";
import { localDisk, type Disk } from "./disk.ts";
import { goFileMode, isDirectory, isSymlink, MODE } from "./file-mode.ts";
import { fileStat, type FileStat } from "./file-stat.ts";

/**
 * The stat of one path on disk (not following a symbolic link), named `name` in the message; undefined if there is
 * nothing. Extended attributes are not read.
 */
export function statPath(path: string, name: string, disk: Disk = localDisk): FileStat | undefined {
  const stats = disk.lstat(path);
  return stats === undefined ? undefined : diskStat({ path, name, stats, disk });
}

/** Turns an lstat into the protocol's stat (5.2); undefined if it was a symbolic link that is gone by now. */
export function diskStat(entry: { readonly path: string; readonly name: string; readonly stats: BigIntStats; readonly disk: Disk }): FileStat | undefined {
  const { stats } = entry;
  const mode = goFileMode(stats);
  const symlink = isSymlink(mode);
  const linkname = symlink ? entry.disk.readLink(entry.path) : "";
  if (linkname === undefined) return undefined;
  const device = (mode & MODE.DEVICE) !== 0;
  return fileStat({
    path: entry.name,
    mode: portableMode(mode),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: isDirectory(mode) ? 0 : Number(stats.size),
    modTimeNs: stats.mtimeNs,
    linkname: symlink && process.platform === "win32" ? linkname.replaceAll("\\", "/") : linkname,
    devmajor: device ? Number((stats.rdev >> 8n) & 0xfffn) : 0,
    devminor: device ? Number((stats.rdev & 0xffn) | ((stats.rdev >> 12n) & 0xfff00n)) : 0,
  });
}

/** Sockets travel as ordinary files; Windows has no execute bit, so everything gets it there. */
function portableMode(mode: number): number {
  const plain = (mode & ~MODE.SOCKET) >>> 0;
  if (process.platform !== "win32") return plain;
  return ((plain & ~0o777) | ((plain | 0o111) & 0o755)) >>> 0;
}
