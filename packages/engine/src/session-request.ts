import type { Readable } from "node:stream";

import { abortedError, RunnerError, type Runner } from "@anyrunner/core";
import { CLIENT_METADATA_HEADER, clientMetadataHeader, type ClientMetadata, type Http2Response } from "@anyrunner/protocol";

import { connectionLost } from "./connection-lost.ts";
import type { ControlConnection } from "./control-connection.ts";
import { formatTraceparent, type TraceContext } from "./trace-context.ts";

/** A request to the engine's session API, such as `POST /query`. */
export interface SessionRequest {
  /** Default: GET. */
  readonly method?: string | undefined;
  /** With a slash in front. */
  readonly path: string;
  /** `traceparent` and `baggage` given here become the parent of the engine's work. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | string | Readable | undefined;
  /** Facts about the work that are added to the identity of the session for this request. */
  readonly metadata?: Partial<ClientMetadata> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type SendSessionRequest = (request: SessionRequest) => Promise<Http2Response>;

export interface SessionRequestsInput {
  readonly control: ControlConnection;
  readonly metadata: ClientMetadata;
  readonly trace: TraceContext;
  readonly runner: Runner;
  /** Aborted with the reason when the session is over. */
  readonly ended: AbortSignal;
}

/** Makes the function that sends requests with the identity of a session (engine protocol 4.1). */
export function createSessionRequests(input: SessionRequestsInput): SendSessionRequest {
  const { control, ended, runner } = input;
  const ownMetadata = clientMetadataHeader(input.metadata);
  const authorization = `Basic ${Buffer.from(`${input.metadata.clientSecretToken}:`).toString("base64")}`;
  const traceparent = formatTraceparent(input.trace);
  return async ({ metadata, ...request }) => {
    if (ended.aborted) throw endReason(ended);
    try {
      const identity = metadata === undefined ? ownMetadata : clientMetadataHeader({ ...metadata, ...input.metadata });
      return await control.http2.request({ ...request, headers: { traceparent, ...request.headers, authorization, [CLIENT_METADATA_HEADER]: identity } });
    } catch (error) {
      if (request.signal?.aborted) throw abortedError(request.signal);
      if (ended.aborted) throw endReason(ended);
      if (RunnerError.is(error) && error.code !== "CONNECTION_LOST") throw error;
      throw await connectionLost({ runner: runner.url, connection: control.connection, error, doing: `during ${request.method ?? "GET"} ${request.path}` });
    }
  };
}

function endReason(ended: AbortSignal): RunnerError {
  return RunnerError.from(ended.reason, "CONNECTION_LOST");
}
