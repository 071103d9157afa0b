import type { FileStat } from "./file-stat.ts";

/** One entry of a listing together with where its content comes from. */
export interface TreeEntry {
  readonly stat: FileStat;
  /** Absolute path of a regular file on this machine: the sender reads it itself, which is the fast way. */
  readonly file?: string;
  /** The content of an entry that is not a file on this machine. */
  readonly open?: (signal?: AbortSignal) => AsyncIterable<Uint8Array>;
}
