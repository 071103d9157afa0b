import type { Duplex } from "node:stream";

import { withinBudgetOf } from "./within-budget.ts";

/** Resolves at the first of the events, and leaves no listener behind. */
export function firstEvent(stream: Duplex, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}

/** Everything that still arrives. Unlike the stream's own iterator it leaves the stream open; it throws when the stream breaks. */
export async function* chunksOf(stream: Duplex): AsyncGenerator<Buffer> {
  for (let received = 0; ;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) {
      received += chunk.length;
      yield chunk;
    } else if (stream.readableEnded) return;
    else if (stream.destroyed) throw new Error(`the stream broke before its end, after ${received} bytes`);
    else await withinBudgetOf(stream, `after ${received} bytes neither more of them nor the end arrived`, firstEvent(stream, ["readable", "end", "close"]));
  }
}

/** Writes one piece and waits while the stream is full; throws when the stream breaks. */
export async function writePiece(stream: Duplex, piece: Buffer): Promise<void> {
  if (stream.destroyed) throw new Error("the stream is broken");
  if (stream.write(piece)) return;
  await withinBudgetOf(stream, "the stream was full and took no further byte", firstEvent(stream, ["drain", "close"]));
  if (stream.destroyed) throw new Error("the stream broke while it was written");
}
