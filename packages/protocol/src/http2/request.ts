import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { Readable } from "node:stream";

import { abortedError, RunnerError, throwIfAborted } from "@anyrunner/core";

import { cancelStream } from "./reset-stream.ts";
import type { StreamOpener } from "./open-stream.ts";
import { responseBody } from "./response-body.ts";

export interface Http2Request {
  /** Default GET, or POST with a body. */
  readonly method?: string | undefined;
  /** Path with query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | string | Readable | undefined;
  /** Cancels the request, and its body while that is being read. */
  readonly signal?: AbortSignal | undefined;
}

export interface Http2Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Destroying it cancels the request. */
  readonly body: Readable;
}

export async function sendRequest(connection: StreamOpener, request: Http2Request): Promise<Http2Response> {
  const { signal, body } = request;
  throwIfAborted(signal);
  const stream = connection.openStream(
    {
      ":method": request.method ?? (body === undefined ? "GET" : "POST"),
      ":scheme": "http",
      ":authority": "dagger",
      ":path": request.path,
      ...request.headers,
    },
    { endStream: body === undefined },
  );
  let given: Error | undefined;
  const giveUp = (error: Error) => {
    given ??= error;
    cancelStream(stream, error);
  };
  const onAbort = () => giveUp(abortedError(signal as AbortSignal));
  signal?.addEventListener("abort", onAbort, { once: true });
  stream.once("close", () => signal?.removeEventListener("abort", onAbort));

  if (body instanceof Readable) sendBody(body, stream, giveUp);
  else if (body !== undefined) stream.end(body);
  return responseOf(stream, (error) => given ?? streamError(error, connection));
}

/** `pipeline` would report a stream that we cancel as a failure of its own. */
function sendBody(body: Readable, stream: ClientHttp2Stream, giveUp: (error: Error) => void): void {
  body.on("error", giveUp);
  stream.once("close", () => body.destroy());
  if (body.destroyed) giveUp(body.errored ?? new Error("the body of the request is destroyed"));
  else body.pipe(stream);
}

function responseOf(stream: ClientHttp2Stream, lost: (error: Error | undefined) => Error): Promise<Http2Response> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    stream.on("error", (error) => {
      failure ??= error;
    });
    // The body listens from this very event on: a short answer of a peer in the same process ends before a promise is settled.
    stream.once("response", ({ ":status": status, ...headers }: IncomingHttpHeaders & { ":status"?: number }) => {
      resolve({ status: Number(status), headers, body: responseBody(stream, lost) });
    });
    stream.once("close", () => reject(lost(failure)));
  });
}

function streamError(error: Error | undefined, connection: StreamOpener): Error {
  const reason = error?.message ?? "it was cancelled";
  return connection.lost(error) ?? new RunnerError("CONNECTION_LOST", `the engine gave up a request: ${reason}`, { cause: error, retryable: true });
}
