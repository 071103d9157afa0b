import { randomBytes } from "node:crypto";
import { chmodSync, lchownSync, linkSync, lstatSync, lutimesSync, mkdirSync, renameSync, rmSync, symlinkSync, type Stats } from "node:fs";
import { rm } from "node:fs/promises";
import { errorCode } from "./disk.ts";
import { diskTime } from "./disk-time.ts";
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
  const existing = lstatSync(path, { throwIfNoEntry: false });
  if (existing?.isDirectory()) return openDirectory(path, existing);
  if (existing !== undefined) rmSync(path);
  mkdirSync(path, { mode });
  own((uid, gid) => lchownSync(path, uid, gid));
}

/** Sets what a directory's own children would change again: to be called when they are complete. */
export function finishDirectory(path: string, stat: FileStat): void {
  const permissions = posixPermissions(stat.mode);
  if ((lstatSync(path).mode & 0o7777) !== permissions) chmodSync(path, permissions);
  setTime(path, stat);
}

export function makeSymlink(path: string, stat: FileStat): Promise<void> {
  return place(path, (temporary) => {
    symlinkSync(stat.linkname, temporary);
    own((uid, gid) => lchownSync(temporary, uid, gid));
    setTime(temporary, stat);
  });
}

/** `target` is a file that this transfer wrote or found to be right. */
export function makeHardLink(path: string, target: string): Promise<void> {
  return place(path, (temporary) => linkSync(target, temporary));
}

/** Removes a file, or a directory with all that is in it; follows no link. */
export function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}

/** A name beside `path` that nothing has yet. */
export function temporaryName(path: string): string {
  const slash = path.lastIndexOf("/");
  return `${path.slice(0, slash + 1)}.anyrunner-${randomBytes(8).toString("hex")}`;
}

/** Puts a finished temporary file in its place, removing a directory that may be there. */
export async function putInPlace(temporary: string, path: string): Promise<void> {
  try {
    renameSync(temporary, path);
  } catch (error) {
    const code = errorCode(error);
    if (code !== "EISDIR" && code !== "EEXIST" && code !== "ENOTEMPTY" && code !== "EPERM") throw error;
    if (!lstatSync(path).isDirectory()) throw error;
    await remove(path);
    renameSync(temporary, path);
  }
}

async function place(path: string, make: (temporary: string) => void): Promise<void> {
  const temporary = temporaryName(path);
  try {
    make(temporary);
    await putInPlace(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  // Renaming one hard link onto another of the same file does nothing and leaves the temporary name.
  rmSync(temporary, { force: true });
}

function openDirectory(path: string, existing: Stats): void {
  if (OWNER !== undefined && (existing.uid !== OWNER.uid || existing.gid !== OWNER.gid)) lchownSync(path, OWNER.uid, OWNER.gid);
  if ((existing.mode & 0o700) !== 0o700) chmodSync(path, (existing.mode & 0o7777) | 0o700);
}

function setTime(path: string, stat: FileStat): void {
  const time = diskTime(stat.modTimeNs);
  lutimesSync(path, time, time);
}
