import { throwIfAborted } from "@anyrunner/core";
import { createContentSender, type ContentSender } from "./content-sender.ts";
import { isRegular } from "./file-mode.ts";
import { FilesyncError } from "./filesync-error.ts";
import type { PacketChannel } from "./packet-channel.ts";
import { decodePacket, encodePacket } from "./packet.ts";
import { diskErrorText } from "./system-error-text.ts";
import type { TreeEntry } from "./tree-entry.ts";

export interface SendTreeOptions {
  /** In the order of the protocol, as `walkTree` gives them. */
  readonly entries: AsyncIterable<TreeEntry>;
  readonly channel: PacketChannel;
  /** The call's own signal. An engine ends a transfer by cancelling the call, so an abort is success. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a listing and the contents that the receiver asks for (engine protocol 5.3). Resolves when the receiver is
 * done: it sent FIN (which is answered), half-closed, or cancelled. Until then the call stays open, however long the
 * receiver is silent. A failure is told to the receiver as an ERR packet and thrown.
 */
export async function sendTree(options: SendTreeOptions): Promise<void> {
  const { channel, signal } = options;
  const stop = new AbortController();
  const content = createContentSender({ channel, signal: stop.signal });
  const listing = sendListing(options, content, stop.signal);
  try {
    await Promise.race([answerRequests(channel, content, listing), failureOf(listing), content.failed]);
  } catch (error) {
    if (signal?.aborted) return;
    await channel.send(encodePacket({ type: "error", message: diskErrorText(error) })).catch(() => {});
    throw error;
  } finally {
    stop.abort();
    await Promise.allSettled([listing, content.close()]);
  }
}

async function sendListing(options: SendTreeOptions, content: ContentSender, stopped: AbortSignal): Promise<void> {
  let id = 0;
  for await (const entry of options.entries) {
    throwIfAborted(stopped);
    if (isRegular(entry.stat.mode)) content.offer(id, entry);
    id++;
    await options.channel.send(encodePacket({ type: "stat", stat: entry.stat }));
  }
  await options.channel.send(encodePacket({ type: "stat", stat: undefined }));
}

async function answerRequests(channel: PacketChannel, content: ContentSender, listing: Promise<void>): Promise<void> {
  for await (const message of channel.messages) {
    const packet = decodePacket(message);
    switch (packet.type) {
      case "request":
        content.request(packet.id);
        break;
      case "finish":
        await listing;
        await channel.send(encodePacket({ type: "finish" }));
        return;
      case "error":
        throw new FilesyncError("peer", `error from receiver: ${packet.message}`);
      default:
        throw new FilesyncError("protocol", `a ${packet.type} packet from the receiver`);
    }
  }
  // Half-closed: nothing more will be asked for, but what was asked for is still owed.
  await listing;
  await content.idle();
}

/** Never resolves; rejects if the listing fails. */
function failureOf(listing: Promise<void>): Promise<never> {
  return new Promise((_, reject) => {
    listing.catch(reject);
  });
}
