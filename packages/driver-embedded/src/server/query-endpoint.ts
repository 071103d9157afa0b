import { RunnerError, withinBudget } from "@anyrunner/core/driver";
import { CLIENT_METADATA_HEADER, parseClientMetadata, type EngineHttpRequest, type Http2Connection } from "@anyrunner/protocol";

import { createGrpcHost } from "../host/grpc-host.ts";
import { errorExtensions } from "../schema/api-error.ts";
import { loadCoreSchema } from "../schema/core-schema.ts";
import { executeQuery, type QueryRequest } from "../schema/execute-query.ts";
import { parseTraceparent, startSpan, type Span } from "../telemetry/span.ts";
import { checkClientVersion } from "./client-version.ts";
import { header } from "./header.ts";
import type { EngineService } from "./engine-service.ts";
import type { Client } from "./sessions.ts";

/** How long a query waits for its client's attachables (engine protocol 4.4). */
const ATTACHABLES_MS = 10_000;
const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** `POST /query`: GraphQL. Plumbing errors come in GraphQL form, as plain text with a status (protocol 4.3). */
export async function serveQuery(request: EngineHttpRequest, options: EngineService): Promise<void> {
  try {
    await answerQuery(request, options);
  } catch (error) {
    if (request.signal.aborted) return;
    const status = error instanceof QueryRefused ? error.status : 500;
    const extensions = errorExtensions(error);
    const body = {
      errors: [{ message: error instanceof Error ? error.message : String(error), ...(extensions === undefined ? {} : { extensions }) }],
      data: null,
    };
    request.respond(status, { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" }).end(`${JSON.stringify(body)}\n`);
  }
}

class QueryRefused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function answerQuery(request: EngineHttpRequest, options: EngineService): Promise<void> {
  // Loading what answers a query and starting the executor overlap with reading it.
  const loading = Promise.all([options.engine(), loadCoreSchema()]);
  loading.catch(() => {});
  const metadata = readMetadata(request);
  const { session, client } = options.sessions.enter(metadata);
  try {
    if (session.closing) throw new QueryRefused(503, "session is closing");
    const query = await readRequest(request);
    const [engine] = await loading;
    const signal = AbortSignal.any([request.signal, session.signal]);
    const span = startQuerySpan(request, client);
    const host = createGrpcHost({ mirrors: options.mirrors, machine: metadata.clientStableId ?? "", connection: () => attachables(client) });
    const report = (event: { readonly type: string; readonly message: string }) => {
      if (event.type === "warning") span?.log(2, `${event.message}\n`);
    };
    const { status, body } = await executeQuery(query, { engine, session, host, clientId: metadata.clientId, call: { signal, span, report } });
    span?.end(body.errors === undefined ? {} : { error: body.errors[0]?.message });
    const text = JSON.stringify(body);
    request.respond(status, { "content-type": contentType(request), "content-length": String(Buffer.byteLength(text)) }).end(text);
  } finally {
    options.sessions.leave(session, client);
  }
}

function readMetadata(request: EngineHttpRequest) {
  const metadata = parseClientMetadata(header(request, CLIENT_METADATA_HEADER));
  checkClientVersion(metadata);
  return metadata;
}

function startQuerySpan(request: EngineHttpRequest, client: Client): Span | undefined {
  const parent = parseTraceparent(header(request, "traceparent"));
  // Without a sampled parent nothing is recorded (engine protocol 4.1).
  if (parent === undefined) return undefined;
  return startSpan(client.feed, "POST /query", { traceId: parent.traceId, parentSpanId: parent.spanId, attributes: { "dagger.io/ui.passthrough": true } });
}

async function attachables(client: Client): Promise<Http2Connection> {
  const attached = await withinBudget(ATTACHABLES_MS, client.attached());
  if (attached === undefined) throw new RunnerError("TIMEOUT", `waiting for client session attachables: none within ${ATTACHABLES_MS} ms`);
  return attached;
}

async function readRequest(request: EngineHttpRequest): Promise<QueryRequest> {
  if (request.method === "GET") {
    const params = new URLSearchParams(request.search);
    const variables = params.get("variables");
    return {
      query: params.get("query") ?? "",
      variables: variables === null ? undefined : (JSON.parse(variables) as Record<string, unknown>),
      operationName: params.get("operationName") ?? undefined,
    };
  }
  if (request.method !== "POST") throw new QueryRefused(405, "method not allowed");
  const text = await readBody(request);
  const parsed = parseBody(text);
  return {
    query: typeof parsed["query"] === "string" ? parsed["query"] : "",
    variables: isRecord(parsed["variables"]) ? parsed["variables"] : undefined,
    operationName: typeof parsed["operationName"] === "string" ? parsed["operationName"] : undefined,
  };
}

async function readBody(request: EngineHttpRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new QueryRefused(413, `the request body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseBody(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new QueryRefused(400, `json request body could not be decoded: ${text === "" ? "EOF" : (error as Error).message} body:${text}`);
  }
  if (!isRecord(value)) {
    const kind = Array.isArray(value) ? "array" : typeof value;
    throw new QueryRefused(400, `json request body could not be decoded: json: cannot unmarshal ${kind} into Go value of type graphql.RawParams body:${text}`);
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function contentType(request: EngineHttpRequest): string {
  return header(request, "accept")?.includes("application/graphql-response+json") === true ? "application/graphql-response+json" : "application/json";
}
