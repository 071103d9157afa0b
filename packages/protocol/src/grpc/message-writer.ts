import type { Http2Stream } from "node:http2";

import { messageHeader } from "./message-framer.ts";

/** Queued bytes above which a sender waits. An http2 stream's own mark of 16 KiB is far too low for throughput and can't be set. */
const HIGH_WATER_BYTES = 256 * 1024;

/**
 * Writes one message, whole or in parts, without copying it: the buffers belong to the stream from then on. Resolves when more
 * may be sent, or at once on a stream that is gone; the caller knows what became of it.
 */
export function writeMessage(stream: Http2Stream, message: Uint8Array | readonly Uint8Array[]): Promise<void> | undefined {
  stream.cork();
  if (message instanceof Uint8Array) {
    stream.write(messageHeader(message.length));
    if (message.length > 0) stream.write(message);
  } else {
    stream.write(messageHeader(message.reduce((sum, part) => sum + part.length, 0)));
    for (const part of message) if (part.length > 0) stream.write(part);
  }
  stream.uncork();
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
