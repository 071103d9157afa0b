import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";

import { resetStream } from "../http2/reset-stream.ts";
import { carryHeaders } from "./carry-headers.ts";
import { QUEUE_BYTES } from "./held-body.ts";

/** How a request that was sent on has ended. */
export interface AnswerEnd {
  /**
   * `answered`: the client has all of it, or as much as came before it broke off. `unprocessed`: the upstream said, or can't but mean,
   * that it did nothing with it. `reset`: broken off by the upstream with `code` before an answer. `lost`: the connection is gone.
   * `left`: the client gave it up.
   */
  readonly kind: "answered" | "unprocessed" | "reset" | "lost" | "left";
  readonly code: number;
  readonly error?: Error | undefined;
}

type StreamEvent = [headers: IncomingHttpHeaders, flags: number, rawHeaders: readonly string[]];

export interface ForwardAnswerOptions {
  /** Called when the head of an answer has come. */
  readonly onHead: (status: number) => void;
}

/**
 * Carries the answer of `upstream` to `client`: head, body under back-pressure, trailers; and each side's reset to the other. Resolves
 * when the upstream stream is over; unless the answer had begun, the client has then been told nothing. Never rejects.
 */
export function forwardAnswer(upstream: ClientHttp2Stream, client: ServerHttp2Stream, { onHead }: ForwardAnswerOptions): Promise<AnswerEnd> {
  let began = false;
  let ended = false;
  let failure: Error | undefined;
  let trailers: OutgoingHttpHeaders = {};
  // The stream forgets it when it ends.
  const { session } = upstream;

  const onClientClose = () => {
    if (!upstream.closed) resetStream(upstream, client.rstCode || constants.NGHTTP2_CANCEL);
  };
  client.once("close", onClientClose);
  if (client.destroyed) onClientClose();

  // What node won't send on it refuses by throwing.
  const carry = (send: () => void) => {
    try {
      if (isOpen(client)) send();
    } catch (error) {
      failure ??= error as Error;
      resetStream(upstream, constants.NGHTTP2_CANCEL);
    }
  };
  upstream.on("headers", (...[headers, , rawHeaders]: StreamEvent) => {
    carry(() => client.additionalHeaders(carryHeaders(headers, rawHeaders)));
  });
  upstream.once("response", (...[headers, flags, rawHeaders]: StreamEvent) => {
    began = true;
    onHead(Number(headers[":status"]));
    const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    client.once("wantTrailers", () => carry(() => client.sendTrailers(trailers)));
    carry(() => client.respond(carryHeaders(headers, rawHeaders), { endStream, waitForTrailers: !endStream }));
    // Not before: this event waits for its turn, while the bytes behind the head may be read at once.
    upstream.on("data", (chunk: Buffer) => {
      if (!isOpen(client) || client.writableEnded) return;
      client.write(chunk);
      if (client.writableLength > QUEUE_BYTES) upstream.pause();
    });
    upstream.once("end", () => {
      ended = began && !upstream.aborted && !upstream.rstCode;
      if (ended && isOpen(client) && !client.writableEnded) client.end();
    });
  });
  const onDrain = () => upstream.resume();
  client.on("drain", onDrain);
  upstream.once("trailers", (...[headers, , rawHeaders]: StreamEvent) => {
    trailers = carryHeaders(headers, rawHeaders);
  });
  upstream.on("error", (error) => {
    failure ??= error;
  });
  return new Promise((resolve) => {
    upstream.once("close", () => {
      client.off("close", onClientClose).off("drain", onDrain);
      resolve(endOf());
    });
  });

  function endOf(): AnswerEnd {
    const code = upstream.rstCode ?? constants.NGHTTP2_NO_ERROR;
    if (ended) return { kind: "answered", code };
    if (!isOpen(client)) return { kind: "left", code };
    if (began) {
      resetStream(client, code === constants.NGHTTP2_NO_ERROR ? constants.NGHTTP2_INTERNAL_ERROR : code);
      return { kind: "answered", code, error: failure };
    }
    // Without a number it never was on the wire.
    if (code === constants.NGHTTP2_REFUSED_STREAM || upstream.id === undefined) return { kind: "unprocessed", code, error: failure };
    // A reset comes with an error of its own kind, or with none.
    const errorCode = (failure as NodeJS.ErrnoException | undefined)?.code;
    const isLost = session?.destroyed !== false || (errorCode !== undefined && errorCode !== "ERR_HTTP2_STREAM_ERROR");
    return { kind: isLost ? "lost" : "reset", code, error: failure };
  }
}

function isOpen(stream: ServerHttp2Stream): boolean {
  return !stream.destroyed && !stream.closed;
}
