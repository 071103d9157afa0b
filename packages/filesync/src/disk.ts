import { lstatSync, readdirSync, readFileSync, readlinkSync, type BigIntStats } from "node:fs";
import { diskPath, nameOfBytes } from "./file-name.ts";

/** A name in a directory, as `nameOfBytes` gives it; its type comes with the listing, without touching the entry. */
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
  readDirectory: (path) => unlessGone(() => readItems(diskPath(path))),
  lstat: (path) => unlessGone(() => lstatSync(diskPath(path), { bigint: true, throwIfNoEntry: false })),
  readLink: (path) => {
    const target = unlessGone(() => readlinkSync(diskPath(path), { encoding: "buffer" }));
    return target && nameOfBytes(target);
  },
  readText: (path) => unlessGone(() => readFileSync(diskPath(path), "utf8"), "EISDIR"),
};

function readItems(path: string | Buffer): readonly DirectoryItem[] {
  const items = readdirSync(path, { withFileTypes: true });
  // The sign for what isn't UTF-8: then once more, by their bytes.
  if (!items.some((item) => item.name.includes("\ufffd"))) return items;
  return readdirSync(path, { withFileTypes: true, encoding: "buffer" }).map((item) => ({
    name: nameOfBytes(item.name),
    isDirectory: () => item.isDirectory(),
    isFile: () => item.isFile(),
    isSymbolicLink: () => item.isSymbolicLink(),
  }));
}

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
