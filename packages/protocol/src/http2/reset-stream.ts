import { constants, type Http2Stream } from "node:http2";

/** Gives a stream up at once, with RST_STREAM CANCEL. */
export function cancelStream(stream: Http2Stream, error?: Error): void {
  resetStream(stream, constants.NGHTTP2_CANCEL, error);
}

/**
 * Breaks a stream off with RST_STREAM and nothing else. Node would end the writing side first, and to the peer what was cut off
 * would look complete; destroying alone would choose the code by itself.
 */
export function resetStream(stream: Http2Stream, code: number, error?: Error): void {
  stream._final = (callback) => callback();
  if (!stream.closed) stream.close(code);
  stream.destroy(error);
}
