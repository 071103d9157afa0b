import { closeSync, constants, fchmodSync, fchownSync, futimesSync, openSync, rmSync, writeSync, writev } from "node:fs";
import { own, putInPlace, temporaryName } from "./disk-target.ts";
import { diskTime } from "./disk-time.ts";
import { diskPath } from "./file-name.ts";
import { posixPermissions } from "./file-mode.ts";
import type { FileStat } from "./file-stat.ts";
import { writeError } from "./content-error.ts";

/** Content that is gathered before it is written; a file that stays below is written at once, without the thread pool. */
const GATHER_BYTES = 256 * 1024;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/** Writes one file beside its place and moves it there when it is complete. */
export interface FileWriter {
  /** Takes a piece of the content; resolves when more may be given. */
  write(piece: Uint8Array): Promise<void> | undefined;
  /** Everything is there: sets owner, mode and time, and replaces what is at the place. */
  commit(): Promise<void>;
  /** Gives up: nothing stays behind. */
  discard(): Promise<void>;
}

export function createFileWriter(path: string, stat: FileStat): FileWriter {
  const temporary = temporaryName(path);
  let file: number | undefined;
  let pieces: Uint8Array[] = [];
  let gathered = 0;
  let writing: Promise<void> = Promise.resolve();

  return {
    write(piece) {
      pieces.push(piece);
      gathered += piece.length;
      return gathered >= GATHER_BYTES ? flush() : undefined;
    },
    async commit() {
      await writing;
      const target = (file ??= openSync(diskPath(temporary), CREATE, 0o600));
      try {
        writeAll(target, pieces);
      } catch (error) {
        throw writeError(path, error);
      }
      own((uid, gid) => fchownSync(target, uid, gid));
      fchmodSync(target, posixPermissions(stat.mode));
      const time = diskTime(stat.modTimeNs);
      futimesSync(target, time, time);
      close();
      await putInPlace(temporary, path);
    },
    async discard() {
      await writing.catch(() => {});
      close();
      rmSync(diskPath(temporary), { force: true });
    },
  };

  /** Starts writing what was gathered, after waiting for the write before it. */
  async function flush(): Promise<void> {
    const batch = pieces;
    pieces = [];
    gathered = 0;
    await writing;
    const target = (file ??= openSync(diskPath(temporary), CREATE, 0o600));
    writing = writeBatch(target, batch).catch((error: unknown) => {
      throw writeError(path, error);
    });
    writing.catch(() => {});
  }

  function close(): void {
    const open = file;
    file = undefined;
    if (open !== undefined) closeSync(open);
  }
}

function writeAll(file: number, pieces: readonly Uint8Array[]): void {
  for (const piece of pieces) {
    for (let written = 0; written < piece.length;) written += writeSync(file, piece, written);
  }
}

function writeBatch(file: number, pieces: readonly Uint8Array[]): Promise<void> {
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return new Promise((resolve, reject) => {
    writev(file, pieces, (error, written) => {
      if (error) return reject(error);
      try {
        // A full disk may take a part; writing the rest tells why.
        if (written < total) writeAll(file, behind(pieces, written));
        resolve();
      } catch (failure) {
        reject(failure);
      }
    });
  });
}

function behind(pieces: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written;
  return pieces.flatMap((piece) => {
    const from = Math.min(skip, piece.length);
    skip -= from;
    return from === piece.length ? [] : [piece.subarray(from)];
  });
}
