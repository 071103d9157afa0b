import { randomBytes } from "node:crypto";
import { chmodSync, lchownSync, linkSync, lstatSync, lutimesSync, mkdirSync, renameSync, rmSync, symlinkSync, type Stats } from "node:fs";
import { rm } from "node:fs/promises";
import { errorCode } from "./disk.ts";
import { diskTime } from "./disk-time.ts";
import { diskPath } from "./file-name.ts";
import { posixPermissions } from "./file-mode.ts";
import type { FileStat } from "./file-stat.ts";

/** Who the files belong to that we make; undefined where there are no owners. */
export const OWNER: { readonly uid: number; readonly gid: number } | undefined =
  process.getuid === undefined || process.getgid === undefined ? undefined : { uid: process.getuid(), gid: process.getgid() };

/** Makes what we have created ours, which a set-group-id directory may prevent; a file system without owners is as good. */
export function own(change: (uid: number, gid: number) => void): void {
  if (OWNER === undefined) return;
  try {
    change(OWNER.uid, OWNER.gid);
  } catch (error) {
    const code = errorCode(error);
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
  }
}

/** Makes a directory, or opens an existing one to us; anything else of that name is removed. Its metadata is set at the end. */
export function makeDirectory(path: string, stat: FileStat): void {
  const mode = posixPermissions(stat.mode) | 0o700;
  const place = diskPath(path);
  const existing = lstatSync(place, { throwIfNoEntry: false });
  if (existing?.isDirectory()) return openDirectory(place, existing);
  if (existing !== undefined) rmSync(place);
  mkdirSync(place, { mode });
  own((uid, gid) => lchownSync(place, uid, gid));
}

/** Sets what a directory's own children would change again: to be called when they are complete. */
export function finishDirectory(path: string, stat: FileStat): void {
  const place = diskPath(path);
  const permissions = posixPermissions(stat.mode);
  if ((lstatSync(place).mode & 0o7777) !== permissions) chmodSync(place, permissions);
  setTime(place, stat);
}

export function makeSymlink(path: string, stat: FileStat): Promise<void> {
  return place(path, (temporary) => {
    symlinkSync(diskPath(stat.linkname), temporary);
    own((uid, gid) => lchownSync(temporary, uid, gid));
    setTime(temporary, stat);
  });
}

/** `target` is a file that this transfer wrote or found to be right. */
export function makeHardLink(path: string, target: string): Promise<void> {
  return place(path, (temporary) => linkSync(diskPath(target), temporary));
}

/** Removes a file, or a directory with all that is in it; follows no link. */
export function remove(path: string): Promise<void> {
  return rm(diskPath(path), { recursive: true, force: true });
}

/** A named pipe or a device, which `make` makes. */
export function placeSpecialFile(path: string, stat: FileStat, make: (path: string, stat: FileStat) => Promise<void>): Promise<void> {
  return place(path, async (file, temporary) => {
    await make(temporary, stat);
    own((uid, gid) => lchownSync(file, uid, gid));
    chmodSync(file, posixPermissions(stat.mode));
    setTime(file, stat);
  });
}

/** A name beside `path` that nothing has yet. */
export function temporaryName(path: string): string {
  const slash = path.lastIndexOf("/");
  return `${path.slice(0, slash + 1)}.anyrunner-${randomBytes(8).toString("hex")}`;
}

/** Puts a finished temporary file in its place, removing a directory that may be there. */
export async function putInPlace(temporary: string, path: string): Promise<void> {
  const [from, to] = [diskPath(temporary), diskPath(path)];
  try {
    renameSync(from, to);
  } catch (error) {
    const code = errorCode(error);
    if (code !== "EISDIR" && code !== "EEXIST" && code !== "ENOTEMPTY" && code !== "EPERM") throw error;
    if (!lstatSync(to).isDirectory()) throw error;
    await remove(path);
    renameSync(from, to);
  }
}

async function place(path: string, make: (file: string | Buffer, temporary: string) => void | Promise<void>): Promise<void> {
  const temporary = temporaryName(path);
  const file = diskPath(temporary);
  try {
    await make(file, temporary);
    await putInPlace(temporary, path);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
  // Renaming one hard link onto another of the same file does nothing and leaves the temporary name.
  rmSync(file, { force: true });
}

function openDirectory(path: string | Buffer, existing: Stats): void {
  if (OWNER !== undefined && (existing.uid !== OWNER.uid || existing.gid !== OWNER.gid)) lchownSync(path, OWNER.uid, OWNER.gid);
  if ((existing.mode & 0o700) !== 0o700) chmodSync(path, (existing.mode & 0o7777) | 0o700);
}

function setTime(path: string | Buffer, stat: FileStat): void {
  const time = diskTime(stat.modTimeNs);
  lutimesSync(path, time, time);
}
