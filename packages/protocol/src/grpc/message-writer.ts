import type { Http2Stream } from "node:http2";

import { messageHeader } from "./message-framer.ts";

/** Queued bytes above which a sender waits. An http2 stream's own mark of 16 KiB is far too low for throughput and can't be set. */
const HIGH_WATER_BYTES = 256 * 1024;

/** Up to this size a message is copied behind its header: one write is cheaper than two then. */
const SMALL_BYTES = 4 * 1024;

/**
 * Writes one message, whole or in parts, in general without copying it: the buffers belong to the stream from then on. Resolves
 * when more may be sent, or at once on a stream that is gone; the caller knows what became of it.
 */
export function writeMessage(stream: Http2Stream, message: Uint8Array | readonly Uint8Array[]): Promise<void> | undefined {
  const parts = message instanceof Uint8Array ? [message] : message;
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const header = messageHeader(bytes);
  if (bytes <= SMALL_BYTES) {
    stream.write(Buffer.concat([header, ...parts], header.length + bytes));
  } else {
    stream.cork();
    stream.write(header);
    for (const part of parts) if (part.length > 0) stream.write(part);
    stream.uncork();
  }
  return stream.writableLength > HIGH_WATER_BYTES ? drained(stream) : undefined;
}

function drained(stream: Http2Stream): Promise<void> | undefined {
  if (stream.destroyed || stream.closed || !stream.writableNeedDrain) return undefined;
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done).off("close", done).off("aborted", done);
      resolve();
    };
    stream.on("drain", done).on("close", done).on("aborted", done);
  });
}
