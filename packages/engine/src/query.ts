import { RunnerError } from "@anyrunner/core";

import { engineChanged } from "./engine-info.ts";
import { readAnswer } from "./read-answer.ts";
import type { SendSessionRequest } from "./session-request.ts";

/** One GraphQL document and what it is executed with. */
export interface GraphqlRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  /** Which operation, where the document has several. */
  readonly operationName?: string | undefined;
  /** Cancels the request, and what the engine does for it. */
  readonly signal?: AbortSignal | undefined;
}

/** An answer as GraphQL has it: what failed stands in `errors`, and `data` holds the rest. */
export interface GraphqlResponse {
  readonly data?: unknown;
  readonly errors?: readonly GraphqlError[] | undefined;
}

/** One failure of a pipeline. */
export interface GraphqlError {
  readonly message: string;
  /** The fields that lead to what failed. */
  readonly path?: readonly (string | number)[] | undefined;
  /** What the engine adds, such as exit code and output of a command that failed. */
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Sends one GraphQL request. There is no time limit: a pipeline may run for hours without a byte.
 * What the engine itself refuses rejects: VERSION_MISMATCH, ENGINE_CHANGED, AUTH_FAILED or CONNECTION_LOST; an answer that is too long, UNSUPPORTED.
 */
export async function queryEngine(request: SendSessionRequest, graphql: GraphqlRequest, runner: string): Promise<GraphqlResponse> {
  const { signal, ...body } = graphql;
  const response = await request({
    method: "POST",
    path: "/query",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const text = await readAnswer(response.body, { from: runner });
  const answer = parseAnswer(text);
  // 422 carries validation errors in GraphQL form. The engine's plumbing is JSON, too, but typed as text: with 5xx, or (0.21.8) with 200.
  const plumbing = response.status >= 500 || (answer?.errors !== undefined && String(response.headers["content-type"]).startsWith("text/plain"));
  if (!plumbing && answer !== undefined) return answer;
  throw plumbingError(answer?.errors?.map((error) => error.message).join("; ") ?? text.trim(), response.status, runner);
}

/** The messages of an answer in one text, without the engine's markers of where in the trace they come from. */
export function graphqlErrorText(errors: readonly GraphqlError[]): string {
  return errors.map(({ message }) => message.replaceAll(/\s*\[traceparent:[0-9a-f]{32}-[0-9a-f]{16}\]/g, "")).join("\n");
}

/** The errors of an answer as one QUERY_FAILED; with a hint where what went wrong is no matter of the pipeline. */
export function queryFailed(errors: readonly GraphqlError[]): RunnerError {
  const text = graphqlErrorText(errors);
  const isFull = /no space left on device|disk quota exceeded/i.test(text);
  return new RunnerError("QUERY_FAILED", text, {
    ...(isFull && { hint: "make room on the disk that is named: this machine's, or the engine's (anyrunner du, anyrunner prune)" }),
    details: { errors: errors.map(({ message, path }) => ({ message, ...(path === undefined ? {} : { path }) })) },
  });
}

function parseAnswer(text: string): GraphqlResponse | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as GraphqlResponse) : undefined;
  } catch {
    return undefined;
  }
}

function plumbingError(said: string, status: number, runner: string): RunnerError {
  if (said.includes("incompatible client version")) {
    return new RunnerError("VERSION_MISMATCH", `${runner} refuses this client: ${said}`, { hint: "use the SDK version that belongs to the engine" });
  }
  if (said.includes("different secret token")) return new RunnerError("AUTH_FAILED", `${runner} refused the client's token: ${said}`);
  if (said.includes("waiting for client session attachables")) return engineChanged(runner, said);
  return new RunnerError("CONNECTION_LOST", `${runner} can't serve the query (status ${status}): ${said}`, { hint: "look at the engine's log" });
}
