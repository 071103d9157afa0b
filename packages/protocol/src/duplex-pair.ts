import { Duplex } from "node:stream";

/** Unread bytes at one end above which writes to the other wait. Below it they are acknowledged at once. */
const LIMIT_BYTES = 3 * 1024 * 1024;

/**
 * Two ends of one byte stream inside this process: what is written to one is read from the other. Ending one half-closes it;
 * destroying one ends the other, as a lost connection does.
 *
 * Writes are acknowledged before they are read: HTTP/2 in Node stops reading while a write of its transport is pending, so two
 * sessions that waited for each other's reads would stand still. Flow control keeps what is unread far below the limit.
 */
export function duplexPair(): readonly [Duplex, Duplex] {
  const left: Side = new Side(() => right);
  const right: Side = new Side(() => left);
  return [left, right];
}

class Side extends Duplex {
  readonly #peer: () => Side;
  #read: (() => void) | undefined;

  constructor(peer: () => Side) {
    super();
    this.#peer = peer;
  }

  override _read(): void {
    const read = this.#read;
    this.#read = undefined;
    read?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error) => void): void {
    const peer = this.#peer();
    if (peer.destroyed) callback(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    else peer.#receive(chunk, callback);
  }

  override _final(callback: () => void): void {
    this.#peer().#receive(null, () => {});
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    callback(error);
    const read = this.#read;
    this.#read = undefined;
    read?.();
    this.#peer().#lose();
  }

  #receive(chunk: Buffer | null, callback: () => void): void {
    if (this.destroyed || this.push(chunk) || this.readableLength < LIMIT_BYTES) callback();
    else this.#read = callback;
    // The end is told to an end that only writes, too, as a socket tells it.
    if (chunk === null && !this.destroyed) this.read(0);
  }

  /** The other end is gone: nothing more will come, and nothing that is written arrives. */
  #lose(): void {
    if (this.destroyed) return;
    if (this.readableEnded || !this.readable) this.destroy();
    else {
      this.#receive(null, () => {});
      this.once("end", () => this.destroy());
    }
  }
}
