import { closeSync, constants, openSync, readSync } from "node:fs";
import { readError } from "./content-error.ts";
import { errorCode } from "./disk.ts";
import { diskPath } from "./file-name.ts";

const SLAB_BYTES = 256 * 1024;

/**
 * A reader for files that fit into one packet. It is synchronous: open, read and close of a small file cost a tenth
 * of what they cost through the thread pool.
 */
export type SmallFileReader = (path: string, expectedBytes: number) => Uint8Array | undefined;

/**
 * The reader gives the content; empty for a file that can't be opened, since it may have vanished after it was listed
 * (a receiver is then told that it is empty), or is a directory by now; undefined for a file larger than `limitBytes` or than it was expected to be.
 */
export function createSmallFileReader(limitBytes: number): SmallFileReader {
  let slab = Buffer.alloc(0);
  return (path, expectedBytes) => {
    if (expectedBytes > limitBytes) return undefined;
    // One byte more than expected shows whether the file has grown, without another call.
    const wanted = expectedBytes + 1;
    if (slab.length < wanted) slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, wanted));
    const file = openToRead(path);
    if (file === undefined) return slab.subarray(0, 0);
    try {
      const bytes = readFully(file, slab, wanted);
      if (bytes === wanted) return undefined;
      const content = slab.subarray(0, bytes);
      slab = slab.subarray(bytes);
      return content;
    } catch (error) {
      if (errorCode(error) === "EISDIR") return slab.subarray(0, 0);
      throw readError(path, error);
    } finally {
      closeSync(file);
    }
  };
}

/** For a regular file that a listing named: not through a link put in its place, and never waiting for a pipe's writer. */
export const OPEN_TO_READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

function openToRead(path: string): number | undefined {
  try {
    return openSync(diskPath(path), OPEN_TO_READ);
  } catch {
    return undefined;
  }
}

function readFully(file: number, target: Buffer, wanted: number): number {
  let bytes = 0;
  while (bytes < wanted) {
    const read = readSync(file, target, bytes, wanted - bytes, null);
    if (read === 0) break;
    bytes += read;
  }
  return bytes;
}
