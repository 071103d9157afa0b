import { withinBudget } from "@anyrunner/core";
import { readText, type EngineHttpRequest } from "@anyrunner/protocol";

import type { AttachedClient } from "./attached-client.ts";
import type { DoubleClient } from "./double-session.ts";
import type { FaultPoint, Refusal } from "./engine-fault.ts";
import { sendForgottenStatus, sendText } from "./send-text.ts";
import { detectWorkspace } from "./workspace.ts";

/** A GraphQL request as the double's script sees it. */
export interface DoubleQuery {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName: string | undefined;
  /** Calls back to the client that asked. */
  readonly client: AttachedClient;
  /** Headers of the request, names in lower case. */
  readonly headers: EngineHttpRequest["headers"];
  /** Aborted when the client gives the request up. */
  readonly signal: AbortSignal;
}

/** What the engine answers: `data`; or `errors`, and then `data` is null as a whole. */
export type DoubleAnswer = { readonly data: unknown } | { readonly errors: readonly DoubleError[]; readonly status?: number };

/** An error of a pipeline, as GraphQL has it. */
export interface DoubleError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A script. What it throws becomes an error of the pipeline. */
export type AnswerQuery = (query: DoubleQuery) => DoubleAnswer | Promise<DoubleAnswer>;

/** What queries are answered with. */
export interface QueryApi {
  readonly answer: AnswerQuery;
  /** How long a query waits for its client to attach itself, in ms. */
  readonly attachWaitMs: number;
  /** Lets faults strike, on the stream of the request. */
  meet(at: FaultPoint): Promise<Refusal | undefined>;
  note(at: "query", request: EngineHttpRequest, body: string): void;
}

const BODY_LIMIT_BYTES = 64 * 1024 * 1024;

/** `/query` with the engine's order of events: read, admit, wait for the attachables, look at the workspace, execute. */
export async function answerQuery(api: QueryApi, request: EngineHttpRequest, admit: () => DoubleClient): Promise<void> {
  const body = await readText(request.body, { limitBytes: BODY_LIMIT_BYTES });
  let client: DoubleClient;
  try {
    client = admit();
  } catch (error) {
    return sendPlumbingError(request, 500, messageOf(error));
  }
  api.note("query", request, body);
  const refusal = await api.meet("query");
  if (refusal !== undefined && "status" in refusal) return sendPlumbingError(request, refusal.status, refusal.text);
  if (client.closing) return sendPlumbingError(request, 503, "session is closing");
  try {
    await attachedWithin(client, api.attachWaitMs);
  } catch (error) {
    return sendForgottenStatus(request, JSON.stringify({ data: null, errors: [{ message: messageOf(error) }] }));
  }
  try {
    await (client.workspace ??= detectWorkspace(callsOf(client)));
  } catch (error) {
    return sendPlumbingError(request, 500, messageOf(error));
  }
  await sendAnswer(api, request, await execute(api, request, body, callsOf(client)));
}

async function execute(api: QueryApi, request: EngineHttpRequest, body: string, client: AttachedClient): Promise<DoubleAnswer> {
  let parsed: { query?: string; variables?: Record<string, unknown> | null; operationName?: string | null };
  try {
    parsed = JSON.parse(body) as typeof parsed;
  } catch (error) {
    return { status: 400, errors: [{ message: `json request body could not be decoded: ${messageOf(error)}` }] };
  }
  try {
    return await api.answer({
      query: parsed.query ?? "",
      variables: parsed.variables ?? {},
      operationName: parsed.operationName ?? undefined,
      client,
      headers: request.headers,
      signal: request.signal,
    });
  } catch (error) {
    return { errors: [{ message: messageOf(error) }] };
  }
}

async function sendAnswer(api: QueryApi, request: EngineHttpRequest, answer: DoubleAnswer): Promise<void> {
  const accepts = String(request.headers["accept"] ?? "");
  const failed = "errors" in answer;
  const bytes = Buffer.from(goJson(failed ? { errors: answer.errors, data: null } : { data: answer.data }));
  const output = request.respond(failed ? (answer.status ?? 200) : 200, {
    "content-type": accepts.includes("application/graphql-response+json") ? "application/graphql-response+json" : "application/json",
    "content-length": String(bytes.length),
    date: new Date().toUTCString(),
  });
  const half = Math.floor(bytes.length / 2);
  output.write(bytes.subarray(0, half));
  await api.meet("answer");
  output.end(bytes.subarray(half));
}

/** JSON as Go's encoder writes it: what could end a script element is escaped. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** GraphQL's form under a plain-text type: what the engine says before GraphQL is reached. */
function sendPlumbingError(request: EngineHttpRequest, status: number, message: string): void {
  sendText(request, status, JSON.stringify({ errors: [{ message }] }));
}

async function attachedWithin(client: DoubleClient, budgetMs: number): Promise<void> {
  const attached = await withinBudget(
    budgetMs,
    client.attached.then(() => true),
  );
  if (!attached) throw new Error("waiting for client session attachables: context deadline exceeded");
}

function callsOf(client: DoubleClient): AttachedClient {
  if (client.attachment === undefined) throw new Error(`session attachables for client "${client.metadata.clientId}" are gone`);
  return client.attachment.calls;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
