import type { Duplex } from "node:stream";

const LINE_FEED = 0x0a;

/** The longest line was reached without a line feed. */
export const TOO_LONG = Symbol("too long");

/**
 * The next line of the stream, without its line feed; `undefined` at the end, or when the stream is destroyed. What follows the line stays
 * in the stream. Never holds more than `limitBytes` and one chunk. A last line without a line feed counts.
 */
export async function readLine(stream: Duplex, limitBytes: number): Promise<Buffer | typeof TOO_LONG | undefined> {
  const chunks: Buffer[] = [];
  for (let size = 0; ;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk === null) {
      if (stream.readableEnded || stream.destroyed) return size === 0 ? undefined : Buffer.concat(chunks);
      await change(stream);
      continue;
    }
    const end = chunk.indexOf(LINE_FEED);
    if (end < 0) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > limitBytes) return TOO_LONG;
      continue;
    }
    if (end + 1 < chunk.length) stream.unshift(chunk.subarray(end + 1));
    return Buffer.concat([...chunks, chunk.subarray(0, end)]);
  }
}

function change(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of EVENTS) stream.off(event, done);
      resolve();
    };
    for (const event of EVENTS) stream.on(event, done);
  });
}

const EVENTS = ["readable", "end", "close"] as const;
