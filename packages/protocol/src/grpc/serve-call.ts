import type { ServerHttp2Stream } from "node:http2";

import { readMessages } from "./message-queue.ts";
import { writeMessage } from "./message-writer.ts";
import { readGrpcMetadata, type GrpcMetadata } from "./metadata.ts";
import { encodeStatusMessage } from "./status-message.ts";
import { GrpcError, GrpcStatus } from "./status.ts";
import { parseGrpcTimeout } from "./timeout-header.ts";

/** The server's side of one call; messages are raw bytes. */
export interface GrpcCall {
  readonly path: string;
  readonly metadata: GrpcMetadata;
  /** For one reader. Ends with the client's half-close; throws a GrpcError when the call is cancelled. */
  readonly messages: AsyncIterable<Uint8Array>;
  /**
   * Sends one message, whole or in parts, without copying: the buffers belong to the stream from then on. Resolves when more
   * may be sent; fails when the call is cancelled.
   */
  send(message: Uint8Array | readonly Uint8Array[]): Promise<void>;
  /** Aborted when the client cancels, when the deadline passes or when the connection is gone; its reason is a GrpcError. */
  readonly signal: AbortSignal;
}

/** Resolving means OK, a thrown GrpcError means its status, anything else UNKNOWN with its message. */
export type GrpcHandler = (call: GrpcCall) => Promise<void>;

/** Handlers by path: `/package.Service/Method`. */
export type GrpcRoutes = Readonly<Record<string, GrpcHandler>>;

/** Runs the handler for one stream and answers with its outcome; never throws. */
export function serveGrpcCall(stream: ServerHttp2Stream, path: string, rawHeaders: readonly string[], routes: GrpcRoutes): void {
  const handler = Object.hasOwn(routes, path) ? routes[path] : undefined;
  const metadata = readGrpcMetadata(rawHeaders);
  const controller = new AbortController();
  let answered = false;

  const messages = readMessages(stream, fail);
  stream.on("error", () => {});
  stream.once("end", () => messages.finish(messages.partial ? new GrpcError(GrpcStatus.INTERNAL, "the request ended inside a message") : undefined));
  stream.once("aborted", onGone).once("close", onGone);
  const timer = onDeadline(metadata.get("grpc-timeout"), () => fail(new GrpcError(GrpcStatus.DEADLINE_EXCEEDED, "the deadline has passed")));

  const call: GrpcCall = {
    path,
    metadata,
    messages,
    signal: controller.signal,
    async send(message) {
      // The stream may be gone a turn before its events say so; a sender that did not notice would spin.
      if (stream.destroyed || stream.closed) onGone();
      controller.signal.throwIfAborted();
      if (answered) throw new GrpcError(GrpcStatus.INTERNAL, "the call is answered already");
      if (!stream.headersSent) stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
      await writeMessage(stream, message);
      controller.signal.throwIfAborted();
    },
  };
  if (handler === undefined) answer(unknownMethod(path, routes));
  else run(handler, call).then(answer, (error: unknown) => answer(toGrpcError(error)));

  function onGone(): void {
    cancel(new GrpcError(GrpcStatus.CANCELLED, "the client cancelled the call, or its connection is gone"));
  }

  function fail(error: Error): void {
    cancel(error);
    answer(toGrpcError(error));
  }

  function cancel(error: Error): void {
    clearTimeout(timer);
    if (answered || controller.signal.aborted) return;
    messages.finish(error);
    controller.abort(error);
  }

  function answer(error: GrpcError | undefined): void {
    if (answered) return;
    answered = true;
    clearTimeout(timer);
    messages.finish(error);
    if (!stream.destroyed && !stream.closed) sendGrpcStatus(stream, error);
  }
}

const RESPONSE_HEADERS = { ":status": 200, "content-type": "application/grpc" } as const;

async function run(handler: GrpcHandler, call: GrpcCall): Promise<undefined> {
  await handler(call);
}

function onDeadline(header: string | undefined, callback: () => void): NodeJS.Timeout | undefined {
  const timeoutMs = parseGrpcTimeout(header);
  return timeoutMs === undefined ? undefined : setTimeout(callback, Math.min(timeoutMs, 2 ** 31 - 1)).unref();
}

/**
 * Ends the answer with its status: in the trailers, or, where nothing was sent before an error, in the headers themselves. A client
 * that is still sending sees the end and stops. Resetting the stream to hurry it would take the trailers along: nghttp2 drops
 * whatever is queued for a stream that is closing.
 */
export function sendGrpcStatus(stream: ServerHttp2Stream, error: GrpcError | undefined): void {
  if (error !== undefined && !stream.headersSent) {
    stream.respond({ ...RESPONSE_HEADERS, ...statusHeaders(error) }, { endStream: true });
    return;
  }
  if (!stream.headersSent) stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers(statusHeaders(error)));
  stream.end();
}

function statusHeaders(error: GrpcError | undefined): Record<string, string> {
  if (error === undefined) return { "grpc-status": "0" };
  return { "grpc-status": String(error.status), "grpc-message": encodeStatusMessage(error.message) };
}

function toGrpcError(error: unknown): GrpcError {
  if (GrpcError.is(error)) return error;
  return new GrpcError(GrpcStatus.UNKNOWN, error instanceof Error ? error.message : String(error), { cause: error });
}

/** In the words of the official client's server: an engine passes them on to the user. */
function unknownMethod(path: string, routes: GrpcRoutes): GrpcError {
  const end = path.lastIndexOf("/");
  const [service, method] = [path.slice(1, end), path.slice(end + 1)];
  const known = Object.keys(routes).some((each) => each.startsWith(`/${service}/`));
  return new GrpcError(GrpcStatus.UNIMPLEMENTED, known ? `unknown method ${method} for service ${service}` : `unknown service ${service}`);
}
