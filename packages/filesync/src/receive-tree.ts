import { mkdirSync } from "node:fs";
import { abortedError } from "@anyrunner/core";
import { finishDirectory, makeDirectory, makeHardLink, makeSymlink, OWNER, placeSpecialFile, remove } from "./disk-target.ts";
import { isDirectory, isRegular, isSymlink } from "./file-mode.ts";
import type { FileStat } from "./file-stat.ts";
import { createFileWriter, type FileWriter } from "./file-writer.ts";
import { FilesyncError } from "./filesync-error.ts";
import { createListingCheck } from "./listing-check.ts";
import { createLocalChanges } from "./local-changes.ts";
import type { PacketChannel } from "./packet-channel.ts";
import { decodePacket, encodePacket } from "./packet.ts";
import { createSendQueue } from "./send-queue.ts";
import { diskErrorText } from "./system-error-text.ts";
import { createTimeSlice } from "./time-slice.ts";
import { resolveRoot } from "./walk-tree.ts";

export interface ReceiveTreeOptions {
  readonly channel: PacketChannel;
  /** Absolute path of a directory; made with its parents (mode 0700) if it isn't there. */
  readonly destination: string;
  /** True adds the listing to what is there; false makes the destination equal to the listing, removing the rest. */
  readonly merge: boolean;
  /** Makes a named pipe or a device at a path that is free. Default: they are refused, `unsupported`. */
  readonly makeSpecialFile?: ((path: string, stat: FileStat) => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Files that a sender may have begun and not ended. The official one never begins more than four. */
const MAX_OPEN_FILES = 128;

/**
 * Receives a tree onto disk (engine protocol 5.4, directory mode). Nothing outside of the destination is ever
 * touched: no path leaves it, no symbolic link inside it is followed, a hard link can only name a file of the listing.
 * Files appear complete or not at all; what has to be removed is removed last. Everything gets our own owner.
 * A failure is told to the sender as an ERR packet and thrown: FilesyncError, the file system's error, or ABORTED.
 */
export async function receiveTree(options: ReceiveTreeOptions): Promise<void> {
  const { channel, signal } = options;
  mkdirSync(options.destination, { recursive: true, mode: 0o700 });
  const queue = createSendQueue(channel);
  const receiver = createReceiver(options, (id) => queue.push(encodePacket({ type: "request", id })));
  const stop = new AbortController();
  try {
    await Promise.race([converse(channel, receiver, { send: queue.push, stopped: stop.signal }), queue.failed]);
  } catch (error) {
    if (signal?.aborted) throw abortedError(signal);
    queue.push(encodePacket({ type: "error", message: diskErrorText(error) }));
    throw error;
  } finally {
    stop.abort();
    await receiver.discard();
    await queue.close();
  }
}

interface Conversation {
  readonly send: (packet: Uint8Array) => void;
  readonly stopped: AbortSignal;
}

async function converse(channel: PacketChannel, receiver: Receiver, { send, stopped }: Conversation): Promise<void> {
  const slice = createTimeSlice();
  let finished = false;
  for await (const message of channel.messages) {
    if (stopped.aborted) return;
    const packet = decodePacket(message);
    switch (packet.type) {
      case "stat":
        if (packet.stat === undefined) receiver.endListing();
        else await receiver.list(packet.stat);
        break;
      case "data":
        await receiver.data(packet.id, packet.data);
        break;
      case "error":
        throw new FilesyncError("peer", `error from sender: ${packet.message}`);
      case "finish":
        if (!finished) throw new FilesyncError("protocol", "the sender finished before everything was received");
        break;
      case "request":
        throw new FilesyncError("protocol", "a request packet from the sender");
    }
    if (!finished && receiver.isComplete()) {
      await receiver.finish();
      finished = true;
      send(encodePacket({ type: "finish" }));
    }
    if (slice.isOver()) await slice.pause();
  }
  if (!finished) throw new FilesyncError("protocol", "the sender ended before everything was received");
}

interface Receiver {
  list(stat: FileStat): Promise<void>;
  endListing(): void;
  data(id: number, piece: Uint8Array): Promise<void>;
  isComplete(): boolean;
  /** Hard links, then removals, then what directories say about themselves. */
  finish(): Promise<void>;
  discard(): Promise<void>;
}

function createReceiver({ destination, merge, makeSpecialFile = refuse }: ReceiveTreeOptions, request: (id: number) => void): Receiver {
  const root = resolveRoot(destination);
  const base = root === "/" ? "" : root;
  const check = createListingCheck();
  const changes = merge ? undefined : createLocalChanges(root);
  const waiting = new Map<number, FileStat>();
  const writers = new Map<number, FileWriter>();
  const directories: FileStat[] = [];
  const hardLinks: FileStat[] = [];
  let nextId = 0;
  let listed = false;
  const placeOf = (path: string) => `${base}/${path}`;

  return {
    async list(listedStat) {
      if (listed) throw new FilesyncError("protocol", "an entry behind the end of the listing");
      const id = nextId++;
      check.check(listedStat);
      const stat = { ...listedStat, uid: OWNER?.uid ?? 0, gid: OWNER?.gid ?? 0 };
      const same = changes?.isSame(stat) === true;
      if (isDirectory(stat.mode)) {
        makeDirectory(placeOf(stat.path), stat);
        directories.push(stat);
      } else if (same) return;
      else if (isSymlink(stat.mode)) await makeSymlink(placeOf(stat.path), stat);
      else if (!isRegular(stat.mode)) await placeSpecialFile(placeOf(stat.path), stat, makeSpecialFile);
      else if (stat.linkname !== "") hardLinks.push(stat);
      else {
        waiting.set(id, stat);
        request(id);
      }
    },
    endListing() {
      if (listed) throw new FilesyncError("protocol", "a second end of the listing");
      listed = true;
    },
    async data(id, piece) {
      const stat = waiting.get(id);
      if (stat === undefined) throw new FilesyncError("protocol", `invalid file request ${id}`);
      let writer = writers.get(id);
      if (writer === undefined) {
        if (writers.size >= MAX_OPEN_FILES) throw new FilesyncError("protocol", "the sender began too many files at once");
        writer = createFileWriter(placeOf(stat.path), stat);
        writers.set(id, writer);
      }
      if (piece.length > 0) return writer.write(piece);
      await writer.commit();
      writers.delete(id);
      waiting.delete(id);
    },
    isComplete: () => listed && waiting.size === 0,
    async finish() {
      const slice = createTimeSlice();
      for (const stat of hardLinks) await makeHardLink(placeOf(stat.path), placeOf(stat.linkname));
      for (const path of changes?.leftovers() ?? []) await remove(placeOf(path));
      for (const stat of directories.reverse()) {
        finishDirectory(placeOf(stat.path), stat);
        if (slice.isOver()) await slice.pause();
      }
    },
    discard: async () => {
      await Promise.all([...writers.values()].map((writer) => writer.discard()));
    },
  };
}

async function refuse(_place: string, { path }: FileStat): Promise<void> {
  throw new FilesyncError("unsupported", `can't create ${path}: devices and named pipes are not supported`);
}
