import { throwIfAborted } from "@anyrunner/core";
import { createContentBuffer, type ContentBuffer } from "./content-buffer.ts";
import { isRegular } from "./file-mode.ts";
import type { FileStat } from "./file-stat.ts";
import { FilesyncError } from "./filesync-error.ts";
import { createListingCheck } from "./listing-check.ts";
import type { PacketChannel } from "./packet-channel.ts";
import { decodePacket, encodePacket } from "./packet.ts";
import { createSendQueue } from "./send-queue.ts";
import { diskErrorText } from "./system-error-text.ts";

export interface RequestTreeOptions {
  readonly channel: PacketChannel;
  /** Whether the content of this regular file is wanted; never asked for ignored files and further hard links. */
  wants(stat: FileStat): boolean;
  /**
   * Called for every entry, one after the other in listing order; `content` is there if it was wanted. It gives at
   * most `stat.size` bytes, and fewer if the file has shrunk since it was listed. What isn't read is dropped.
   */
  entry(stat: FileStat, content?: AsyncIterable<Uint8Array>): Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** Content asked for ahead of the entry at hand, in bytes as the listing states them. */
const AHEAD_BYTES = 8 * 1024 * 1024;
const AHEAD_FILES = 256;
const HIGH_WATER_BYTES = 4 * 1024 * 1024;

interface Wanted {
  readonly id: number;
  readonly stat: FileStat;
  readonly content: ContentBuffer;
}

/**
 * The engine's side of a tree transfer: reads the listing, asks for the wanted contents and hands everything out in
 * order. Resolves after the last entry, leaving the call open: the caller cancels it, which is how engines end a
 * transfer. Paths are checked; a bad listing throws a FilesyncError `unsafe` or `protocol`, a failed sender `peer`.
 * Holds the listing and about 8 MiB of content.
 */
export async function requestTree(options: RequestTreeOptions): Promise<void> {
  const { channel, signal } = options;
  const queue = createSendQueue(channel);
  const stop = new AbortController();
  const incoming = createIncoming(options, (id) => queue.push(encodePacket({ type: "request", id })));
  const reading = readPackets(channel, incoming, stop.signal).catch(incoming.fail);
  try {
    await Promise.race([handOut(options, incoming), queue.failed]);
  } catch (error) {
    throwIfAborted(signal);
    queue.push(encodePacket({ type: "error", message: diskErrorText(error) }));
    throw error;
  } finally {
    stop.abort();
    incoming.fail(new FilesyncError("protocol", "the transfer is over"));
    void reading;
    await queue.close();
  }
}

async function handOut(options: RequestTreeOptions, incoming: Incoming): Promise<void> {
  for (let next = await incoming.next(); next !== undefined; next = await incoming.next()) {
    throwIfAborted(options.signal);
    if (next.wanted === undefined) await options.entry(next.stat);
    else {
      await options.entry(next.stat, next.wanted.content.read());
      await incoming.done(next.wanted);
    }
  }
}

async function readPackets(channel: PacketChannel, incoming: Incoming, stopped: AbortSignal): Promise<void> {
  for await (const message of channel.messages) {
    if (stopped.aborted) return;
    const packet = decodePacket(message);
    switch (packet.type) {
      case "stat":
        incoming.list(packet.stat);
        break;
      case "data":
        await incoming.data(packet.id, packet.data);
        break;
      case "error":
        throw new FilesyncError("peer", `error from sender: ${packet.message}`);
      default:
        throw new FilesyncError("protocol", `a ${packet.type} packet from the sender`);
    }
  }
  throw new FilesyncError("protocol", "the sender ended before everything was received");
}

interface Incoming {
  list(stat: FileStat | undefined): void;
  data(id: number, piece: Uint8Array): Promise<void> | undefined;
  fail(error: unknown): void;
  /** The next entry; undefined behind the last. */
  next(): Promise<{ readonly stat: FileStat; readonly wanted: Wanted | undefined } | undefined>;
  /** The consumer is done with it: drops what it left, makes room for others. */
  done(wanted: Wanted): Promise<void>;
}

function createIncoming(options: RequestTreeOptions, request: (id: number) => void): Incoming {
  const check = createListingCheck("linux");
  const entries: { readonly stat: FileStat; readonly wanted: Wanted | undefined }[] = [];
  const unasked: Wanted[] = [];
  const asked = new Map<number, Wanted>();
  let [taken, nextUnasked, nextId, aheadBytes, aheadFiles] = [0, 0, 0, 0, 0];
  let listed = false;
  let failure: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;

  return {
    list(stat) {
      if (listed) throw new FilesyncError("protocol", "an entry behind the end of the listing");
      if (stat === undefined) listed = true;
      else {
        check.check(stat);
        const id = nextId++;
        const offered = isRegular(stat.mode) && !stat.gitIgnored && stat.linkname === "";
        const wanted = offered && options.wants(stat) ? { id, stat, content: bufferFor(stat) } : undefined;
        entries.push({ stat, wanted });
        if (wanted !== undefined) unasked.push(wanted);
        askAhead();
      }
      wake?.();
    },
    data(id, piece) {
      const wanted = asked.get(id);
      if (wanted === undefined) throw new FilesyncError("protocol", `invalid file request ${id}`);
      if (piece.length > 0) return wanted.content.push(piece);
      asked.delete(id);
      wanted.content.end();
      return undefined;
    },
    fail(error) {
      failure ??= { error };
      for (const { content } of asked.values()) content.fail(error);
      wake?.();
    },
    async next() {
      while (taken >= entries.length && !listed && failure === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (taken < entries.length) return entries[taken++];
      if (listed) return undefined;
      throw failure!.error;
    },
    async done(wanted) {
      await wanted.content.drop();
      aheadBytes -= wanted.stat.size;
      aheadFiles--;
      askAhead();
    },
  };

  /**
   * Files that are asked for together may complete in any order, so none of them may hold the stream back: their sum is
   * bounded instead. A larger file is asked for alone.
   */
  function bufferFor(stat: FileStat): ContentBuffer {
    return createContentBuffer({ limitBytes: stat.size, highWaterBytes: stat.size > AHEAD_BYTES ? HIGH_WATER_BYTES : Infinity });
  }

  function askAhead(): void {
    for (let wanted = unasked[nextUnasked]; wanted !== undefined; wanted = unasked[nextUnasked]) {
      const fits = aheadFiles < AHEAD_FILES && aheadBytes + wanted.stat.size <= AHEAD_BYTES;
      if (!fits && aheadFiles > 0) return;
      nextUnasked++;
      aheadFiles++;
      aheadBytes += wanted.stat.size;
      asked.set(wanted.id, wanted);
      if (failure !== undefined) wanted.content.fail(failure.error);
      request(wanted.id);
    }
  }
}
