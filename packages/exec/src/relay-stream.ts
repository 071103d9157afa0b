import { Duplex, type Readable, type Writable } from "node:stream";

/** The two halves that become one stream. */
export interface RelayStreamOptions {
  /** What is read from the stream. */
  readonly output: Readable;
  /** What is written to the stream goes here. A socket is both. */
  readonly input: Writable;
  /** How many written bytes may wait in `input` before writes wait, too. Default 4 MiB. */
  readonly queueBytes?: number | undefined;
  /** Asked when the output has ended, before the end is told: the error that it gives breaks the stream, instead of a quiet end. */
  readonly explainEnd?: ((hadBytes: boolean) => Promise<Error | undefined> | undefined) | undefined;
  /** Called when the stream is destroyed, after both ends were; awaited before `close`. */
  readonly release?: (() => Promise<unknown>) | undefined;
}

const QUEUE_BYTES = 4 * 1024 * 1024;

/**
 * One byte stream whose far end is a relay: writes are acknowledged at once while the queue has room, since a relay that copies both
 * directions in one thread would deadlock HTTP/2 otherwise.
 */
export function createRelayStream({ output, input, queueBytes = QUEUE_BYTES, explainEnd, release }: RelayStreamOptions): Duplex {
  let waiting: (() => void) | undefined;
  const proceed = () => {
    const callback = waiting;
    waiting = undefined;
    callback?.();
  };
  const acknowledge = (callback: () => void) => {
    if (input.destroyed || input.writableLength <= queueBytes) callback();
    else waiting = callback;
  };
  const stream = new Duplex({
    // When the far end has ended there is nobody to write to.
    allowHalfOpen: false,
    read: () => void output.resume(),
    write(chunk: Buffer, _encoding, callback) {
      input.write(chunk);
      acknowledge(callback);
    },
    writev(chunks, callback) {
      input.cork();
      for (const { chunk } of chunks as readonly { readonly chunk: Buffer }[]) input.write(chunk);
      input.uncork();
      acknowledge(callback);
    },
    final(callback) {
      input.end();
      callback();
    },
    destroy(error, callback) {
      // In this order, a program that sees the end of its input can see by its output that nothing was finished.
      output.destroy();
      input.destroy();
      proceed();
      if (release === undefined) callback(error);
      else void release().then(() => callback(error));
    },
  });
  let hadBytes = false;
  output.on("data", (chunk: Buffer) => {
    hadBytes = true;
    if (!stream.push(chunk)) output.pause();
  });
  output.once("end", () => {
    const explanation = explainEnd?.(hadBytes);
    if (explanation === undefined) return void stream.push(null);
    void explanation.then((error) => {
      if (error === undefined) stream.push(null);
      else stream.destroy(error);
    });
  });
  output.once("error", (error) => stream.destroy(error));
  input.on("drain", proceed);
  // The far end may be gone without having read its input; how it ended says more than the broken pipe.
  input.on("error", proceed);
  return stream;
}
