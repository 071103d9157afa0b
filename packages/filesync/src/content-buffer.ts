/** The content of one file between the stream and its reader. */
export interface ContentBuffer {
  /** Resolves when more may come. Bytes beyond the limit are dropped: the file has grown since it was listed. */
  push(piece: Uint8Array): Promise<void> | undefined;
  end(): void;
  fail(error: unknown): void;
  /** For one reader. */
  read(): AsyncIterable<Uint8Array>;
  /** Takes no interest in what is left; resolves when the end has come, and throws what it failed with. */
  drop(): Promise<void>;
}

/** A buffer of a file that was listed with `limitBytes`. Above `highWaterBytes` the stream is held back. */
export function createContentBuffer({ limitBytes, highWaterBytes }: { readonly limitBytes: number; readonly highWaterBytes: number }): ContentBuffer {
  const pieces: Uint8Array[] = [];
  let taken = 0;
  let room = limitBytes;
  let waitingBytes = 0;
  let outcome: { readonly error: unknown } | "ended" | undefined;
  let dropped = false;
  let wakeReader: (() => void) | undefined;
  let wakeWriter: (() => void) | undefined;

  return {
    push(piece) {
      const kept = piece.length > room ? piece.subarray(0, room) : piece;
      room -= kept.length;
      if (kept.length === 0 || dropped) return undefined;
      pieces.push(kept);
      waitingBytes += kept.length;
      wakeReader?.();
      if (waitingBytes < highWaterBytes) return undefined;
      return new Promise((resolve) => {
        wakeWriter = resolve;
      });
    },
    end() {
      outcome ??= "ended";
      wakeReader?.();
    },
    fail(error) {
      outcome ??= { error };
      wakeReader?.();
      wakeWriter?.();
    },
    async *read() {
      for (let piece = await next(); piece !== undefined; piece = await next()) yield piece;
    },
    async drop() {
      dropped = true;
      while ((await next()) !== undefined);
    },
  };

  async function next(): Promise<Uint8Array | undefined> {
    while (taken === pieces.length) {
      if (outcome === "ended") return undefined;
      if (outcome !== undefined) throw outcome.error;
      await new Promise<void>((resolve) => {
        wakeReader = resolve;
      });
    }
    const piece = pieces[taken++]!;
    if (taken === pieces.length) pieces.length = taken = 0;
    waitingBytes -= piece.length;
    if (waitingBytes < highWaterBytes) wakeWriter?.();
    return piece;
  }
}
