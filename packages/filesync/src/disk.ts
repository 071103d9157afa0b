import { lstatSync, readdirSync, readFileSync, readlinkSync, type BigIntStats } from "node:fs";
import { isUtf8 } from "node:buffer";
import { FilesyncError } from "./filesync-error.ts";

/** A name in a directory; its type comes with the listing, without touching the entry. */
export interface DirectoryItem {
  readonly name: string;
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
}

/**
 * What a walk asks of the file system. Synchronous on purpose: a walk runs in short slices, and 10,000 entries cost a
 * quarter of what they cost through the thread pool. Tests count its calls.
 */
export interface Disk {
  /** Undefined if the directory is gone. */
  readDirectory(path: string): readonly DirectoryItem[] | undefined;
  /** Undefined if there is nothing. */
  lstat(path: string): BigIntStats | undefined;
  /** Undefined if it is gone. */
  readLink(path: string): string | undefined;
  /** Undefined if there is none, or a directory instead. */
  readText(path: string): string | undefined;
}

export const localDisk: Disk = {
  readDirectory: (path) => unlessGone(() => readdirSync(path, { withFileTypes: true })),
  lstat: (path) => unlessGone(() => lstatSync(path, { bigint: true, throwIfNoEntry: false })),
  readLink: (path) => {
    const target = unlessGone(() => readlinkSync(path, { encoding: "buffer" }));
    if (target !== undefined && !isUtf8(target)) throw new FilesyncError("unsupported", `the target of the symbolic link ${path} is not UTF-8`);
    return target?.toString();
  },
  readText: (path) => unlessGone(() => readFileSync(path, "utf8"), "EISDIR"),
};

/** Whether an error says that a path, or a directory on the way to it, isn't there. */
export function isGone(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

function unlessGone<T>(read: () => T, alsoGone?: string): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isGone(error) || (alsoGone !== undefined && errorCode(error) === alsoGone)) return undefined;
    throw error;
  }
}
