import { constants, type ClientHttp2Stream } from "node:http2";
import { Readable } from "node:stream";

import { cancelStream } from "./reset-stream.ts";

/**
 * The body of an answer as a plain Readable: ends when the peer ended it, fails with `lost` when the stream broke before, and
 * cancels the request when it is destroyed early.
 */
export function responseBody(stream: ClientHttp2Stream, lost: (error: Error | undefined) => Error): Readable {
  let ended = false;
  let failure: Error | undefined;
  const body = new Readable({
    highWaterMark: 256 * 1024,
    read: () => stream.resume(),
    destroy(error, callback) {
      if (!ended || !stream.writableEnded) cancelStream(stream);
      callback(error);
    },
  });
  // Whoever reads the body meets the error there; one that nobody reads must not end the program.
  body.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    if (!body.push(chunk)) stream.pause();
  });
  stream.once("end", () => {
    ended = !stream.aborted && (stream.rstCode === undefined || stream.rstCode === constants.NGHTTP2_NO_ERROR);
    if (ended) body.push(null);
  });
  stream.on("error", (error) => {
    failure ??= error;
  });
  stream.once("close", () => {
    if (!ended) body.destroy(lost(failure));
  });
  return body;
}

export interface ReadTextOptions {
  readonly limitBytes: number;
  /** What a longer body fails with. */
  readonly tooLong?: (() => Error) | undefined;
}

/** Reads a body to its end as UTF-8; fails, and reads no further, where it is longer than `limitBytes`. */
export async function readText(body: AsyncIterable<Uint8Array | string>, { limitBytes, tooLong }: ReadTextOptions): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const buffer = Buffer.from(chunk as Uint8Array);
    bytes += buffer.length;
    if (bytes > limitBytes) throw tooLong?.() ?? new Error(`the text is longer than ${limitBytes} bytes`);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
