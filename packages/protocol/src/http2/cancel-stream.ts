import { constants, type Http2Stream } from "node:http2";

/** Gives a stream up at once, with RST_STREAM CANCEL; destroying alone would tell the peer of an internal error. */
export function cancelStream(stream: Http2Stream, error?: Error): void {
  if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  stream.destroy(error);
}
