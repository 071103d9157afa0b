import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** What a folder takes on its disk, in bytes; 0 for one that isn't there. What goes away meanwhile isn't counted. */
export async function folderBytes(folder: string, signal?: AbortSignal): Promise<number> {
  signal?.throwIfAborted();
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    // Of 512 bytes, whatever the file system has.
    if (entry.isDirectory()) bytes += await folderBytes(path, signal);
    else bytes += ((await lstat(path).catch(() => undefined))?.blocks ?? 0) * 512;
  }
  return bytes;
}
