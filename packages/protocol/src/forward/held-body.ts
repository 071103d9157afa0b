import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";

import { cancelStream } from "../http2/reset-stream.ts";
import { carryHeaders } from "./carry-headers.ts";

/** Bytes that may be queued for one side before the other is no longer read. A stream's own mark of 16 KiB would stop it at every frame. */
export const QUEUE_BYTES = 256 * 1024;

/** Bytes of a request that are kept until it is answered, so that it can be sent a second time. */
const HELD_BYTES = 64 * 1024;

/** The body of a request that goes on to an upstream stream, and to another one where the first refused it. */
export interface HeldBody {
  /** The client sent no body. */
  readonly empty: boolean;
  /** Sends everything from the beginning on `upstream`, which waits for trailers. */
  sendTo(upstream: ClientHttp2Stream): void;
  /** Whether all that was sent is still there to be sent again. */
  repeatable(): boolean;
  /** The request was taken; it won't be sent again. */
  release(): void;
}

/** Reads the body of `client` for `sendTo`, as fast as that takes it, and keeps its beginning. */
export function holdBody(client: ServerHttp2Stream): HeldBody {
  let held: Buffer[] | undefined = [];
  let heldBytes = 0;
  let ended = client.endAfterHeaders;
  let trailers: OutgoingHttpHeaders = {};
  let target: ClientHttp2Stream | undefined;
  let reading = false;

  const onData = (chunk: Buffer) => {
    heldBytes += chunk.length;
    if (heldBytes > HELD_BYTES) held = undefined;
    held?.push(chunk);
    if (target === undefined || target.destroyed || target.closed) return;
    target.write(chunk);
    if (target.writableLength > QUEUE_BYTES) client.pause();
  };
  client.once("trailers", (headers: IncomingHttpHeaders, _flags: number, rawHeaders: readonly string[]) => {
    trailers = carryHeaders(headers, rawHeaders);
  });
  client.once("end", () => {
    ended = true;
    target?.end();
  });

  return {
    empty: client.endAfterHeaders,
    sendTo(upstream) {
      target = upstream;
      upstream.on("drain", () => client.resume());
      upstream.once("wantTrailers", () => {
        try {
          upstream.sendTrailers(trailers);
        } catch {
          // What node won't send on it refuses by throwing.
          cancelStream(upstream);
        }
      });
      upstream.once("close", () => {
        if (target !== upstream) return;
        target = undefined;
        // What follows is for whoever is sent the request next, or for nobody.
        if (held !== undefined) client.pause();
        else client.resume();
      });
      if (client.endAfterHeaders) return;
      for (const chunk of held ?? []) upstream.write(chunk);
      if (ended) upstream.end();
      else if (!reading) client.on("data", onData);
      else client.resume();
      reading = true;
    },
    repeatable: () => held !== undefined,
    release() {
      held = undefined;
      // An upstream that has answered without reading the rest must not keep the client's stream open.
      if (target === undefined) client.resume();
    },
  };
}
