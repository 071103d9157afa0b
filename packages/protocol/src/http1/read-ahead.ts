import type { Duplex } from "node:stream";

export interface ReadAheadOptions {
  /** Fails when more than this many bytes did not suffice. */
  readonly limitBytes: number;
  /** Takes the bytes out of the stream. Default false: they stay in front of what follows. */
  readonly consume?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A stream that ended, or broke, before the bytes that were waited for were there. */
export class StreamEndedError extends Error {
  readonly received: Buffer;

  constructor(received: Buffer, cause?: unknown) {
    super("the stream ended too early", cause === undefined ? undefined : { cause });
    this.received = received;
  }
}

/**
 * Waits until `enough` names a number of bytes that are there, and returns them. Everything beyond stays in the stream, which is
 * paused again and free of listeners afterwards, fit to be handed on.
 */
export function readAhead(stream: Duplex, enough: (received: Buffer) => number | undefined, options: ReadAheadOptions): Promise<Buffer> {
  const { signal, limitBytes, consume = false } = options;
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    let failure: unknown;

    if (signal?.aborted) return reject(signal.reason);
    // Put back in the very turn in which it was read: a turn later a stream that has ended takes nothing back.
    const onReadable = () => {
      for (;;) {
        const size = enough(received);
        if (size !== undefined && size <= received.length) return succeed(size);
        if (received.length > limitBytes) return fail(new Error(`more than ${limitBytes} bytes without an end`));
        const chunk = stream.read() as Buffer | null;
        if (chunk === null) return;
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      }
    };
    const onError = (error: Error) => {
      failure = error;
    };
    const onEnd = () => fail(new StreamEndedError(received, failure));
    const onAbort = () => fail(signal?.reason);
    stream.on("error", onError).on("end", onEnd).on("close", onEnd).on("readable", onReadable);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (stream.destroyed || stream.readableEnded) onEnd();
    else onReadable();

    function succeed(size: number): void {
      release();
      const rest = consume ? received.subarray(size) : received;
      if (rest.length > 0) stream.unshift(rest);
      resolve(received.subarray(0, size));
    }

    function fail(error: unknown): void {
      release();
      if (received.length > 0 && !stream.destroyed && !stream.readableEnded) stream.unshift(received);
      reject(error);
    }

    function release(): void {
      stream.off("readable", onReadable).off("end", onEnd).off("close", onEnd).off("error", onError);
      signal?.removeEventListener("abort", onAbort);
    }
  });
}
