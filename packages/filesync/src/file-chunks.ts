import { open, type FileHandle } from "node:fs/promises";
import { readError } from "./content-error.ts";
import { errorCode } from "./disk.ts";
import { diskPath } from "./file-name.ts";
import { OPEN_TO_READ } from "./small-file-reader.ts";

const READ_BYTES = 1024 * 1024;
const LEAST_READ_BYTES = 64 * 1024;

/**
 * The content of a file in large pieces, the next one being read while the last is sent. Nothing at all if the file
 * can't be opened, or is a directory by now. `expectedBytes` only sizes the buffers. Ends early when `signal` is aborted.
 */
export async function* fileChunks(path: string, expectedBytes: number, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(diskPath(path), OPEN_TO_READ).catch(() => undefined);
  if (file === undefined) return;
  let left = expectedBytes;
  let ahead = readNext(file, left);
  try {
    while (!signal?.aborted) {
      const chunk = await ahead;
      if (chunk.length === 0) return;
      left -= chunk.length;
      ahead = readNext(file, left);
      yield chunk;
    }
  } catch (error) {
    if (errorCode(error) !== "EISDIR") throw readError(path, error);
  } finally {
    await ahead.catch(() => {});
    await file.close();
  }
}

/** Reads what is next; a channel keeps what it is given, so every piece has memory of its own. */
function readNext(file: FileHandle, left: number): Promise<Uint8Array> {
  const size = Math.min(READ_BYTES, Math.max(LEAST_READ_BYTES, left));
  const read = file.read(Buffer.allocUnsafeSlow(size), 0, size, null).then(({ bytesRead, buffer }) => buffer.subarray(0, bytesRead));
  // It may fail while the piece before it is still being sent; whoever awaits it gets the error.
  read.catch(() => {});
  return read;
}
