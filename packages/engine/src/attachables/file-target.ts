import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, lstat, open, realpath, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { posixPermissions, writeError } from "@anyrunner/filesync";
import { isMissing } from "./disk-error.ts";

/** A file that is being received. */
export interface FileTarget {
  write(bytes: Uint8Array): Promise<void>;
  /** The content is complete. */
  commit(): Promise<void>;
  /** Gives up; an earlier file of the name is as it was, if it could be replaced at one stroke. */
  discard(): Promise<void>;
}

const DEFAULT_MODE = 0o600;
const CREATE_NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
const OVERWRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;

/**
 * Opens `path` for writing. A missing file gets `fileMode` (Go bits; 0 means 0600) less the umask, an existing one
 * keeps its mode, as opening it for writing would do.
 *
 * The file is written beside its place and moved there at the end. A symbolic link to a file stays, and what it points
 * to is replaced. Written in place instead, as the official client always does: what isn't a regular file (a terminal,
 * a pipe), a file with several hard links, a link that leads nowhere yet, and a directory that takes no new file.
 */
export async function openFileTarget(path: string, fileMode: number): Promise<FileTarget> {
  const mode = fileMode === 0 ? DEFAULT_MODE : posixPermissions(fileMode);
  const existing = await orMissing(stat(path));
  const replaceable = existing === undefined ? (await orMissing(lstat(path))) === undefined : existing.isFile() && existing.nlink === 1;
  if (!replaceable) return overwrite(path, mode);
  const place = existing === undefined ? path : await realpath(path);
  const temporary = join(dirname(place), `.anyrunner-${randomBytes(8).toString("hex")}`);
  const file = await open(temporary, CREATE_NEW, mode).catch(ignoreRefusal);
  if (file === undefined) return overwrite(path, mode);
  if (existing !== undefined) await file.chmod(existing.mode & 0o7777);
  return replaceAtEnd(file, temporary, place);
}

async function overwrite(path: string, mode: number): Promise<FileTarget> {
  const file = await open(path, OVERWRITE, mode);
  return { write: (bytes) => writeAll(file, bytes, path), commit: () => file.close(), discard: () => file.close() };
}

function replaceAtEnd(file: FileHandle, temporary: string, place: string): FileTarget {
  const discard = async () => {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
  };
  return {
    write: (bytes) => writeAll(file, bytes, place),
    async commit() {
      try {
        await file.close();
        await moveInto(temporary, place);
      } catch (error) {
        await discard();
        throw error;
      }
    },
    discard,
  };
}

/** A file that is mounted at its place, as containers do it, can be written but not replaced. */
async function moveInto(temporary: string, place: string): Promise<void> {
  try {
    await rename(temporary, place);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EBUSY") throw error;
    await copyFile(temporary, place);
    await rm(temporary, { force: true });
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, path: string): Promise<void> {
  try {
    for (let written = 0; written < bytes.length;) written += (await file.write(bytes, written)).bytesWritten;
  } catch (error) {
    throw writeError(path, error);
  }
}

async function orMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The directory takes no new file; the file in it may still be open to us. */
function ignoreRefusal(error: unknown): undefined {
  const { code } = error as { code?: unknown };
  if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") throw error;
}
