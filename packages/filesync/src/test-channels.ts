import type { PacketChannel } from "./packet-channel.ts";
import { decodePacket, encodePacket, type Packet } from "./packet.ts";

/** One end of a channel in memory. */
export interface TestChannel extends PacketChannel {
  /** Half-close: the other end's messages end. */
  end(): void;
  /** Breaks both directions, as a cancelled call does. */
  cancel(error: Error): void;
  /** Everything sent from this end. */
  readonly sent: Packet[];
}

export function createTestChannels(): readonly [TestChannel, TestChannel] {
  const [there, back] = [createDirection(), createDirection()];
  return [end(back, there), end(there, back)];
}

function end(incoming: Direction, outgoing: Direction): TestChannel {
  const sent: Packet[] = [];
  return {
    messages: incoming.read(),
    async send(message) {
      const bytes = message instanceof Uint8Array ? message : Buffer.concat(message);
      sent.push(decodePacket(bytes));
      outgoing.push(bytes);
    },
    end: outgoing.end,
    cancel(error) {
      incoming.fail(error);
      outgoing.fail(error);
    },
    sent,
  };
}

/** Sends packets as they are. */
export async function sendPackets(channel: PacketChannel, packets: readonly Packet[]): Promise<void> {
  for (const packet of packets) await channel.send(encodePacket(packet));
}

interface Direction {
  push(message: Uint8Array): void;
  end(): void;
  fail(error: Error): void;
  read(): AsyncIterable<Uint8Array>;
}

function createDirection(): Direction {
  const queue: Uint8Array[] = [];
  let outcome: { readonly error: Error | undefined } | undefined;
  let wake: (() => void) | undefined;
  const settle = (error: Error | undefined) => {
    outcome ??= { error };
    wake?.();
  };
  return {
    push(message) {
      if (outcome?.error !== undefined) throw outcome.error;
      queue.push(message);
      wake?.();
    },
    end: () => settle(undefined),
    fail: settle,
    async *read() {
      for (;;) {
        if (outcome?.error !== undefined) throw outcome.error;
        const message = queue.shift();
        if (message !== undefined) yield message;
        else if (outcome !== undefined) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
}
