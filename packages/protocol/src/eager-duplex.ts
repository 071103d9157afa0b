import { Duplex } from "node:stream";

export interface EagerDuplexOptions {
  /**
   * Bytes that may be queued before a write waits after all. Default 64 MiB: far above what the peer's flow-control windows let
   * HTTP/2 send, so it only stops a runaway writer.
   */
  readonly limitBytes?: number | undefined;
}

/**
 * Wraps a relay (exec, ssh, WebSocket) so that writes are acknowledged at once. HTTP/2 in Node stops reading while a write of its
 * transport is pending; through a relay that copies both directions in one thread, that is a deadlock.
 */
export function eagerDuplex(inner: Duplex, options: EagerDuplexOptions = {}): Duplex {
  return new EagerDuplex(inner, options.limitBytes ?? 64 * 1024 * 1024);
}

class EagerDuplex extends Duplex {
  readonly #inner: Duplex;
  readonly #limitBytes: number;

  constructor(inner: Duplex, limitBytes: number) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    this.#limitBytes = limitBytes;
    inner.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) inner.pause();
    });
    inner.once("end", () => this.push(null));
    inner.on("error", (error) => this.destroy(error));
    inner.once("close", () => {
      // What has arrived completely may still be read.
      if (inner.readableEnded && !this.readableEnded) this.once("end", () => this.destroy());
      else this.destroy();
    });
    inner.pause();
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const wait = this.#isFull();
    this.#inner.write(chunk, wait ? () => callback() : undefined);
    if (!wait) callback();
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: () => void): void {
    const wait = this.#isFull();
    this.#inner.cork();
    for (const [i, { chunk }] of chunks.entries()) this.#inner.write(chunk, wait && i === chunks.length - 1 ? () => callback() : undefined);
    this.#inner.uncork();
    if (!wait) callback();
  }

  override _final(callback: () => void): void {
    this.#inner.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#inner.destroy();
    callback(error);
  }

  /** A relay's child process, if any, must not keep the program alive by itself. */
  ref(): this {
    (this.#inner as { ref?(): void }).ref?.();
    return this;
  }

  unref(): this {
    (this.#inner as { unref?(): void }).unref?.();
    return this;
  }

  #isFull(): boolean {
    return this.#inner.writableLength > this.#limitBytes;
  }
}
