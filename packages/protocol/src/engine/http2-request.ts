import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { PassThrough } from "node:stream";

import { resetStream } from "../http2/reset-stream.ts";
import { runHandler, splitTarget, type EngineHttpHandler } from "./http-handler.ts";

/** Hands one HTTP/2 request to the handler. */
export function serveHttp2Request(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, handler: EngineHttpHandler): void {
  const controller = new AbortController();
  const onGone = () => {
    if (!stream.writableFinished) controller.abort(new Error("the client gave the request up"));
  };
  stream.on("error", () => {});
  stream.once("aborted", onGone).once("close", onGone);
  // A request body that nobody read would keep the answered stream open.
  stream.once("finish", () => stream.resume());

  const { ":method": method = "GET", ":path": target = "/" } = headers;
  const plain = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(":")));
  void runHandler(
    handler,
    { method, ...splitTarget(target), headers: plain, body: requestBody(stream), signal: controller.signal },
    {
      begin(status, responseHeaders) {
        if (!stream.destroyed && !stream.closed) stream.respond({ ...responseHeaders, ":status": status });
        return stream;
      },
      fail: () => resetStream(stream, constants.NGHTTP2_INTERNAL_ERROR),
    },
  );
}

/** Request and answer share one stream: whoever is done with the body and destroys it must not cut the answer off. */
function requestBody(stream: ServerHttp2Stream): PassThrough {
  const body = new PassThrough();
  stream.once("aborted", () => body.destroy());
  return stream.pipe(body);
}
