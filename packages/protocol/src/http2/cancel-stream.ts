import { constants, type Http2Stream } from "node:http2";

/**
 * Gives a stream up at once, with RST_STREAM CANCEL and nothing else. Node would end the writing side first, and to the peer a
 * request that was cut off would look complete; destroying alone would tell it of an internal error.
 */
export function cancelStream(stream: Http2Stream, error?: Error): void {
  stream._final = (callback) => callback();
  if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  stream.destroy(error);
}
