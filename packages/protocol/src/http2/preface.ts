import type { Duplex } from "node:stream";

import { readAhead } from "../http1/read-ahead.ts";

/** With these bytes every HTTP/2 client with prior knowledge begins (RFC 9113, 3.4). */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Whether what came so far can be, or is, the beginning of HTTP/2. */
export function isPreface(received: Buffer): boolean {
  const length = Math.min(received.length, PREFACE.length);
  return length > 0 && PREFACE.subarray(0, length).equals(received.subarray(0, length));
}

/**
 * Whether the client at the other end speaks HTTP/2 with prior knowledge, as soon as its first bytes tell. Nothing is taken out of the
 * stream, which is fit to be handed on. Fails with a StreamEndedError when the stream ends before that, or with the signal's reason.
 */
export async function startsWithHttp2(stream: Duplex, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<boolean> {
  // Zero bytes are wanted more as soon as one byte differs.
  const enough = (received: Buffer) => (received.length === 0 ? undefined : isPreface(received) ? PREFACE.length : 0);
  return (await readAhead(stream, enough, { limitBytes: PREFACE.length, signal: options.signal })).length > 0;
}
