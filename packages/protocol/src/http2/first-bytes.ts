import { Socket } from "node:net";
import type { Duplex } from "node:stream";

const KEPT_BYTES = 4096;

export interface FirstBytes {
  /** What came so far if it reads as text, not as HTTP/2; trimmed, at most 4 KiB. */
  text(): string | undefined;
  stop(): void;
}

/**
 * Remembers how a stream began. A container runtime that can't start the program writes its complaint to standard output,
 * where HTTP/2 should be, and that complaint is worth more than the parser's. Sockets are left alone: http2 reads them natively.
 */
export function observeFirstBytes(stream: Duplex): FirstBytes {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const observe = (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= KEPT_BYTES) stop();
  };
  const stop = () => stream.off("data", observe);
  if (!(stream instanceof Socket)) stream.on("data", observe);
  return { text: () => readableText(Buffer.concat(chunks)), stop };
}

/** The text of `bytes`, or undefined where they hold what no program would write to a terminal. */
export function readableText(bytes: Buffer): string | undefined {
  const text = bytes.subarray(0, KEPT_BYTES).toString("utf8").trim();
  // eslint-disable-next-line no-control-regex -- control characters are what tells a frame from a sentence
  return text === "" || /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? undefined : text;
}
