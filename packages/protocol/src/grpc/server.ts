import { performServerHandshake, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";

import { abortedError } from "@anyrunner/core";

import { closeSession } from "../http2/close-session.ts";
import { DEFAULT_WINDOW_BYTES, sessionOptions } from "../http2/session-options.ts";
import { http2Transport } from "../http2/transport.ts";
import { serveGrpcCall, type GrpcRoutes } from "./serve-call.ts";

/** Streams that one peer may have open at once, as the engine itself allows. */
const MAX_CONCURRENT_STREAMS = 250;

export interface GrpcServerOptions {
  /** Receive window of each stream and of the connection, in bytes. Default 1 MiB. */
  readonly windowBytes?: number | undefined;
  /** Destroys the connection when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

export interface GrpcServer {
  /** Resolves once, when the connection is gone; with the error if it broke. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Lets running calls end for `graceMs` (default 1,000), then destroys the rest. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
  destroy(error?: Error): void;
}

export type Http2StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) => void;

/** Serves gRPC on `stream`, whose other end is the HTTP/2 client. The stream must have no write pending. */
export function serveGrpc(stream: Duplex, routes: GrpcRoutes, options: GrpcServerOptions = {}): GrpcServer {
  return serveHttp2(stream, options, (http2Stream, headers, rawHeaders) => {
    if (isGrpc(headers)) serveGrpcCall(http2Stream, String(headers[":path"]), rawHeaders, routes);
    else refuseOther(http2Stream);
  });
}

export function isGrpc(headers: IncomingHttpHeaders): boolean {
  return headers["content-type"]?.startsWith("application/grpc") === true;
}

/** Serves HTTP/2 with prior knowledge on `stream`, whatever its requests are. */
export function serveHttp2(stream: Duplex, options: GrpcServerOptions, onStream: Http2StreamHandler): GrpcServer {
  const windowBytes = options.windowBytes ?? DEFAULT_WINDOW_BYTES;
  const transport = http2Transport(stream);
  const base = sessionOptions(windowBytes);
  let failure: Error | undefined;

  // createServer().emit("connection") would silently refuse a TLS socket that negotiated no h2; the handshake takes any stream.
  const session: ServerHttp2Session = performServerHandshake(transport, {
    ...base,
    settings: { ...base.settings, maxConcurrentStreams: MAX_CONCURRENT_STREAMS },
  });
  session.setLocalWindowSize(windowBytes);
  session.on("error", (error) => {
    failure ??= error;
  });
  transport.on("error", (error) => {
    failure ??= error;
  });
  // A stream that may be half-open ends without closing when its client goes away, and node's session would wait for ever.
  transport.once("end", () => server.destroy());
  session.on("stream", (http2Stream, headers, _flags, rawHeaders) => onStream(http2Stream, headers, rawHeaders));

  const closed = new Promise<Error | undefined>((resolve) => {
    session.once("close", () => {
      options.signal?.removeEventListener("abort", onAbort);
      resolve(failure);
    });
  });
  const onAbort = () => server.destroy(abortedError(options.signal as AbortSignal));
  const server: GrpcServer = {
    closed,
    close: ({ graceMs = 1_000 } = {}) => closeSession(session, transport, graceMs),
    destroy(error) {
      failure ??= error;
      session.destroy();
      transport.destroy();
    },
  };
  if (options.signal?.aborted) onAbort();
  else options.signal?.addEventListener("abort", onAbort, { once: true });
  return server;
}

function refuseOther(stream: ServerHttp2Stream): void {
  stream.on("error", () => {});
  stream.respond({ ":status": 415 }, { endStream: true });
  stream.resume();
}
