import type { PacketChannel } from "./packet-channel.ts";

/**
 * Sends packets in order without making the caller wait: a receiver that waited for its requests to leave could
 * deadlock with a sender that waits for its contents to be read. What queues up is small and bounded by the listing.
 */
export interface SendQueue {
  push(packet: Uint8Array): void;
  /** Never resolves; rejects when sending fails. */
  readonly failed: Promise<never>;
  /** Resolves when everything pushed so far has left, or can't leave any more. */
  close(): Promise<void>;
}

export function createSendQueue(channel: PacketChannel): SendQueue {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  let packets: Uint8Array[] = [];
  let sending: Promise<void> | undefined;
  return {
    push(packet) {
      packets.push(packet);
      sending ??= drain();
    },
    failed: failure.promise,
    close: async () => {
      await sending;
    },
  };

  async function drain(): Promise<void> {
    try {
      while (packets.length > 0) {
        const batch = packets;
        packets = [];
        for (const packet of batch) await channel.send(packet);
      }
    } catch (error) {
      failure.reject(error);
    } finally {
      sending = undefined;
    }
  }
}
