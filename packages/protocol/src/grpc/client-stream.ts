import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";

import { abortedError, throwIfAborted } from "@anyrunner/core";

import { cancelStream } from "../http2/reset-stream.ts";
import type { Http2Connection } from "../http2/connection.ts";
import { readMessages } from "./message-queue.ts";
import { writeMessage } from "./message-writer.ts";
import { metadataHeaders, type GrpcMetadataInit } from "./metadata.ts";
import { decodeStatusMessage } from "./status-message.ts";
import { GrpcError, GrpcStatus, parseGrpcStatus } from "./status.ts";
import { formatGrpcTimeout } from "./timeout-header.ts";

export interface GrpcCallOptions {
  readonly metadata?: GrpcMetadataInit | undefined;
  /** Cancels the call: RST_STREAM CANCEL. What waits for it fails with ABORTED. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline, in ms from now; the peer is told. After it the call fails with DEADLINE_EXCEEDED. Default: none. */
  readonly timeoutMs?: number | undefined;
}

/** The client's side of one call; messages are raw bytes. */
export interface GrpcStream {
  /** For one reader. Ends with status OK; throws a GrpcError for any other, ABORTED (RunnerError) for the signal. */
  readonly messages: AsyncIterable<Uint8Array>;
  /**
   * Sends one message, whole or in parts, without copying: the buffers belong to the stream from then on. Resolves when more
   * may be sent; fails with what ended the call.
   */
  send(message: Uint8Array | readonly Uint8Array[]): Promise<void>;
  /** Half-close: no more messages from this side. */
  end(): void;
  cancel(): void;
}

/** Opens a call of any kind. Throws when the connection is gone or the signal is aborted already. */
export function openGrpcStream(connection: Http2Connection, path: string, options: GrpcCallOptions = {}): GrpcStream {
  const { signal, timeoutMs } = options;
  throwIfAborted(signal);
  let outcome: { readonly error: Error | undefined } | undefined;
  const { promise: over, resolve: resolveOver } = Promise.withResolvers<void>();
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  let failure: Error | undefined;

  const stream = connection.openStream({
    ":method": "POST",
    ":scheme": "http",
    ":authority": "localhost",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    "user-agent": "anyrunner",
    ...(timeoutMs === undefined ? {} : { "grpc-timeout": formatGrpcTimeout(timeoutMs) }),
    ...metadataHeaders(options.metadata),
  });
  const messages = readMessages(stream, stop);
  const timer = onDeadline(timeoutMs, () => stop(new GrpcError(GrpcStatus.DEADLINE_EXCEEDED, `no answer within ${timeoutMs} ms`)));
  const onAbort = () => stop(abortedError(signal as AbortSignal));
  signal?.addEventListener("abort", onAbort, { once: true });

  stream.on("response", (received: IncomingHttpHeaders) => {
    headers = received;
  });
  stream.on("trailers", (received: IncomingHttpHeaders) => {
    trailers = received;
  });
  stream.on("error", (error) => {
    failure ??= error;
  });
  stream.once("end", () => {
    // Without a head there was no answer; "close" knows why.
    if (headers[":status"] === undefined) return;
    settle(answeredError(headers, trailers, messages.partial));
    // The answer is complete: whatever else was to be sent has no reader any more.
    if (!stream.writableEnded) cancelStream(stream);
  });
  stream.once("close", () => settle(brokenError(stream, failure, connection)));

  return {
    messages,
    async send(message) {
      if (outcome === undefined && !stream.destroyed && !stream.closed) await writeMessage(stream, message);
      // A destroyed stream learns its reason only with "close"; going on without it would let a sender spin.
      if (stream.destroyed) await over;
      if (outcome !== undefined || stream.closed) throw outcome?.error ?? new GrpcError(GrpcStatus.CANCELLED, "the peer has ended the call already");
    },
    end() {
      if (!stream.writableEnded && !stream.destroyed) stream.end();
    },
    cancel: () => stop(new GrpcError(GrpcStatus.CANCELLED, "the call was cancelled here")),
  };

  function stop(error: Error): void {
    settle(error);
    cancelStream(stream);
  }

  function settle(error: Error | undefined): void {
    if (outcome !== undefined) return;
    outcome = { error };
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    messages.finish(error);
    resolveOver();
  }
}

function onDeadline(timeoutMs: number | undefined, callback: () => void): NodeJS.Timeout | undefined {
  return timeoutMs === undefined ? undefined : setTimeout(callback, Math.min(timeoutMs, 2 ** 31 - 1)).unref();
}

/** What a complete answer says, undefined for OK. */
function answeredError(headers: IncomingHttpHeaders, trailers: IncomingHttpHeaders, partial: boolean): Error | undefined {
  const source = trailers["grpc-status"] === undefined ? headers : trailers;
  const code = source["grpc-status"];
  if (typeof code === "string") {
    const status = parseGrpcStatus(code);
    if (status !== GrpcStatus.OK) return new GrpcError(status, decodeStatusMessage(String(source["grpc-message"] ?? "")));
    return partial ? new GrpcError(GrpcStatus.INTERNAL, "the answer ended inside a message") : undefined;
  }
  const httpStatus = Number(headers[":status"]);
  if (httpStatus !== 200) return new GrpcError(statusOfHttp(httpStatus), `the server answered with HTTP status ${httpStatus}`);
  return new GrpcError(GrpcStatus.UNKNOWN, "the answer has no grpc-status");
}

/** Why a stream closed before its answer was complete. */
function brokenError(stream: ClientHttp2Stream, failure: Error | undefined, connection: Http2Connection): Error {
  const lost = connection.lost(failure);
  if (lost !== undefined) return new GrpcError(GrpcStatus.UNAVAILABLE, lost.message, { cause: lost });
  switch (stream.rstCode) {
    case constants.NGHTTP2_NO_ERROR:
    case constants.NGHTTP2_CANCEL:
      return new GrpcError(GrpcStatus.CANCELLED, "the peer cancelled the call");
    case constants.NGHTTP2_REFUSED_STREAM:
      return new GrpcError(GrpcStatus.UNAVAILABLE, "the peer refused the call");
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return new GrpcError(GrpcStatus.RESOURCE_EXHAUSTED, "the peer is overloaded");
    default:
      return new GrpcError(GrpcStatus.INTERNAL, failure?.message ?? `the peer reset the call with code ${stream.rstCode}`, { cause: failure });
  }
}

function statusOfHttp(status: number): GrpcStatus {
  switch (status) {
    case 400:
      return GrpcStatus.INTERNAL;
    case 401:
      return GrpcStatus.UNAUTHENTICATED;
    case 403:
      return GrpcStatus.PERMISSION_DENIED;
    case 404:
      return GrpcStatus.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcStatus.UNAVAILABLE;
    default:
      return GrpcStatus.UNKNOWN;
  }
}
