import type { Readable } from "node:stream";
import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";

import { isGrpc } from "../grpc/server.ts";
import { sendGrpcStatus } from "../grpc/serve-call.ts";
import { GrpcError, GrpcStatus } from "../grpc/status.ts";
import type { OpenStreamOptions } from "../http2/open-stream.ts";
import { PLAIN_TEXT } from "../engine/http-handler.ts";
import { resetStream } from "../http2/reset-stream.ts";
import { carryHeaders } from "./carry-headers.ts";
import { forwardAnswer } from "./forward-answer.ts";
import { holdBody, type HeldBody } from "./held-body.ts";

/** Room for one stream on an upstream connection. */
export interface UpstreamClaim {
  /** Throws when the connection takes no more streams. */
  open(headers: OutgoingHttpHeaders, options: OpenStreamOptions): ClientHttp2Stream;
  /** The upstream has said something: it lives. */
  heard(): void;
  /** The stream is over, or never was. */
  release(): void;
}

export interface ForwardRequestOptions {
  /** Finds room for the request; the signal is aborted when the client gives it up. What it fails with is told to the client. */
  readonly claim: (signal: AbortSignal) => Promise<UpstreamClaim>;
  /** Says, for the client, why the connection broke under its request. */
  readonly explain: (error: Error | undefined) => Promise<ForwardFailure> | ForwardFailure;
  /** Called with the head of an answer; may listen to the body as it passes. */
  readonly onAnswer?: ((answer: PassingAnswer) => void) | undefined;
}

export interface PassingAnswer {
  /** Of the request, with its query. */
  readonly path: string;
  readonly status: number;
  readonly body: Readable;
}

/** What a client is told that gets no answer from upstream. */
export interface ForwardFailure {
  readonly message: string;
  /** Trying again can help: UNAVAILABLE and 503 rather than FAILED_PRECONDITION and 502. */
  readonly retryable: boolean;
}

/** How often a request is sent that upstream connections keep refusing. */
const ATTEMPTS = 3;

/**
 * Sends one HTTP/2 request of a client on to an upstream connection, whatever it is: bodies, trailers and resets go both ways under
 * back-pressure. One that was provably not processed (refused, behind a GOAWAY, never sent) is sent again on another connection, as
 * long as its body is held; nothing else is. Resolves when it is over; never rejects.
 */
export async function forwardRequest(
  client: ServerHttp2Stream,
  { headers, rawHeaders }: { readonly headers: IncomingHttpHeaders; readonly rawHeaders: readonly string[] },
  options: ForwardRequestOptions,
): Promise<void> {
  client.on("error", () => {});
  const left = new AbortController();
  client.once("close", () => left.abort());
  const request: Request = { client, headers: carryHeaders(headers, rawHeaders), body: holdBody(client), signal: left.signal, onAnswer: options.onAnswer };
  let failure: ForwardFailure = { message: "the request was refused again and again", retryable: true };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const outcome = await forwardOnce(request, await options.claim(left.signal));
      if (outcome === "done") return;
      if (outcome === "again") continue;
      failure = await options.explain(outcome.error);
    } catch (error) {
      failure = await options.explain(error as Error);
    }
    break;
  }
  if (!client.destroyed && !client.closed) refuse(client, isGrpc(headers), failure);
}

interface Request {
  readonly client: ServerHttp2Stream;
  readonly headers: OutgoingHttpHeaders;
  readonly body: HeldBody;
  readonly signal: AbortSignal;
  readonly onAnswer: ForwardRequestOptions["onAnswer"];
}

async function forwardOnce(
  { client, headers, body, signal, onAnswer }: Request,
  claim: UpstreamClaim,
): Promise<"done" | "again" | { readonly error: Error | undefined }> {
  try {
    if (signal.aborted) return "done";
    const upstream = tryToOpen(claim, headers, body);
    if (upstream === undefined) return "again";
    const answer = forwardAnswer(upstream, client, {
      onHead(status) {
        claim.heard();
        body.release();
        onAnswer?.({ path: String(headers[":path"]), status, body: upstream });
      },
    });
    body.sendTo(upstream);
    const { kind, code, error } = await answer;
    if (kind === "unprocessed" && body.repeatable()) return "again";
    if (kind === "lost" || kind === "unprocessed") return { error };
    if (kind === "reset") resetStream(client, code === constants.NGHTTP2_NO_ERROR ? constants.NGHTTP2_INTERNAL_ERROR : code);
    body.release();
    return "done";
  } finally {
    claim.release();
  }
}

/** A connection may have closed since it was claimed; a request that can't be sent at all is the client's own fault. */
function tryToOpen(claim: UpstreamClaim, headers: OutgoingHttpHeaders, { empty }: HeldBody): ClientHttp2Stream | undefined {
  try {
    return claim.open(headers, { endStream: empty, waitForTrailers: !empty });
  } catch (error) {
    if ((error as { code?: unknown }).code === "CONNECTION_LOST") return undefined;
    throw error;
  }
}

function refuse(client: ServerHttp2Stream, grpc: boolean, { message, retryable }: ForwardFailure): void {
  client.resume();
  if (grpc) return sendGrpcStatus(client, new GrpcError(retryable ? GrpcStatus.UNAVAILABLE : GrpcStatus.FAILED_PRECONDITION, message));
  client.respond({ ...PLAIN_TEXT, ":status": retryable ? 503 : 502 });
  client.end(`${message}\n`);
}
