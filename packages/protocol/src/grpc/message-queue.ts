import type { Http2Stream } from "node:http2";

import { createMessageFramer } from "./message-framer.ts";

/** Bytes of decoded messages that may wait for their reader before the stream is paused. */
const QUEUE_BYTES = 256 * 1024;

export interface MessageQueue extends AsyncIterable<Uint8Array> {
  /** No more messages will come: the reader gets what is queued, then the end or `error`. Only the first call counts. */
  finish(error?: Error): void;
  /** Whether a message has begun and is not complete. */
  readonly partial: boolean;
}

/**
 * The messages that arrive on `stream`, for one reader. Reading pauses while the reader is behind, so HTTP/2 flow control holds
 * the sender back. A broken frame is reported through `onError`.
 */
export function readMessages(stream: Http2Stream, onError: (error: Error) => void): MessageQueue {
  const framer = createMessageFramer();
  const queue: Uint8Array[] = [];
  let head = 0;
  let queuedBytes = 0;
  let finished: { readonly error: Error | undefined } | undefined;
  let wake: (() => void) | undefined;

  stream.on("data", (chunk: Buffer) => {
    if (finished !== undefined) return;
    try {
      for (const message of framer.push(chunk)) {
        queue.push(message);
        queuedBytes += message.length;
      }
    } catch (error) {
      onError(error as Error);
      return;
    }
    if (queuedBytes > QUEUE_BYTES) stream.pause();
    wake?.();
  });

  return {
    finish(error) {
      finished ??= { error };
      wake?.();
      // What still comes is dropped, but it must be read: a stream that keeps unread bytes never closes.
      stream.resume();
    },
    get partial() {
      return framer.partial;
    },
    [Symbol.asyncIterator]: () => ({
      async next() {
        while (head === queue.length) {
          if (finished !== undefined) {
            if (finished.error !== undefined) throw finished.error;
            return { done: true, value: undefined };
          }
          if (stream.isPaused()) stream.resume();
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          wake = undefined;
        }
        const value = queue[head] as Uint8Array;
        head += 1;
        queuedBytes -= value.length;
        if (head === queue.length) {
          queue.length = 0;
          head = 0;
        }
        return { done: false, value };
      },
      async return() {
        return { done: true, value: undefined };
      },
    }),
  };
}
