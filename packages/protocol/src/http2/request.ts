import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { pipeline, Readable } from "node:stream";

import { abortedError, RunnerError, throwIfAborted } from "@anyrunner/core";

import { cancelStream } from "./cancel-stream.ts";
import type { Http2Connection } from "./connection.ts";
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

export async function sendRequest(connection: Http2Connection, request: Http2Request): Promise<Http2Response> {
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
  const onAbort = () => cancelStream(stream, abortedError(signal as AbortSignal));
  signal?.addEventListener("abort", onAbort, { once: true });
  stream.once("close", () => signal?.removeEventListener("abort", onAbort));

  if (body instanceof Readable) pipeline(body, stream, () => {});
  else if (body !== undefined) stream.end(body);
  return responseOf(stream, connection);
}

function responseOf(stream: ClientHttp2Stream, connection: Http2Connection): Promise<Http2Response> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    stream.on("error", (error) => {
      failure ??= error;
    });
    // The body listens from this very event on: a short answer of a peer in the same process ends before a promise is settled.
    stream.once("response", ({ ":status": status, ...headers }: IncomingHttpHeaders & { ":status"?: number }) => {
      resolve({ status: Number(status), headers, body: responseBody(stream, (error) => streamError(error, connection)) });
    });
    stream.once("close", () => reject(streamError(failure, connection)));
  });
}

function streamError(error: Error | undefined, connection: Http2Connection): Error {
  if (error === undefined) return connection.lostError();
  // What is no error of http2 came from the caller: the signal, or the body that was to be sent.
  if (!(error as NodeJS.ErrnoException).code?.startsWith("ERR_HTTP2")) return error;
  return new RunnerError("CONNECTION_LOST", `the engine gave up a request: ${error.message}`, { cause: error, retryable: true });
}
