import { fileChunks } from "./file-chunks.ts";
import { FilesyncError } from "./filesync-error.ts";
import type { PacketChannel } from "./packet-channel.ts";
import { encodeDataHeader, encodePacket } from "./packet.ts";
import { createSmallFileReader } from "./small-file-reader.ts";
import { createTimeSlice } from "./time-slice.ts";
import type { TreeEntry } from "./tree-entry.ts";

/** Files that are sent at the same time. */
const LANES = 4;
/**
 * Content of one DATA packet, at most. The official client sends 32 KiB; receivers take anything below the 4 MiB that a
 * gRPC message may have, and fewer messages cost both sides less.
 */
const DATA_BYTES = 256 * 1024;
/** Files up to this size are read at once. */
const SMALL_FILE_BYTES = 64 * 1024;
const EMPTY = new Uint8Array();

/** Serves the contents of a listing's entries. */
export interface ContentSender {
  /** Entry number `id` may be asked for. */
  offer(id: number, entry: TreeEntry): void;
  /** Throws a FilesyncError `protocol` for what isn't on offer, or was asked for before. */
  request(id: number): void;
  /** Never resolves; rejects if a content can't be sent. */
  readonly failed: Promise<never>;
  /** Resolves when everything that was asked for has been sent. */
  idle(): Promise<void>;
  /** Resolves when no file is open any more; the signal must be aborted before. */
  close(): Promise<void>;
}

export function createContentSender(options: { readonly channel: PacketChannel; readonly signal: AbortSignal }): ContentSender {
  const { channel, signal } = options;
  const offers = new Map<number, TreeEntry>();
  const queue: { readonly id: number; readonly entry: TreeEntry }[] = [];
  let next = 0;
  const lanes = new Set<Promise<void>>();
  const readSmallFile = createSmallFileReader(SMALL_FILE_BYTES);
  const slice = createTimeSlice();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});

  return {
    offer: (id, entry) => void offers.set(id, entry),
    request(id) {
      const entry = offers.get(id);
      if (entry === undefined) throw new FilesyncError("protocol", `invalid file id ${id}`);
      offers.delete(id);
      queue.push({ id, entry });
      if (lanes.size < LANES) openLane();
    },
    failed: failure.promise,
    idle: async () => {
      while (lanes.size > 0) await Promise.race([Promise.all(lanes), failure.promise]);
    },
    close: async () => {
      while (lanes.size > 0) await Promise.allSettled(lanes);
    },
  };

  function openLane(): void {
    const lane = runLane().catch(failure.reject);
    lanes.add(lane);
    void lane.finally(() => lanes.delete(lane));
  }

  async function runLane(): Promise<void> {
    while (next < queue.length && !signal.aborted) {
      const { id, entry } = queue[next++]!;
      if (next === queue.length) queue.length = next = 0;
      await sendContent(id, entry);
      await channel.send(encodePacket({ type: "data", id, data: EMPTY }));
      if (slice.isOver()) await slice.pause();
    }
  }

  async function sendContent(id: number, entry: TreeEntry): Promise<void> {
    const small = entry.file === undefined ? undefined : readSmallFile(entry.file, entry.stat.size);
    if (small !== undefined) return sendData(id, small);
    const chunks = entry.file === undefined ? entry.open?.(signal) : fileChunks(entry.file, entry.stat.size, signal);
    for await (const chunk of chunks ?? []) {
      for (let start = 0; start < chunk.length; start += DATA_BYTES) {
        if (signal.aborted) return;
        await sendData(id, chunk.subarray(start, start + DATA_BYTES));
      }
    }
  }

  async function sendData(id: number, data: Uint8Array): Promise<void> {
    if (data.length > 0) await channel.send([encodeDataHeader(id, data.length), data]);
  }
}
