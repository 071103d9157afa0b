import type { Readable, Writable } from "node:stream";

/** One HTTP request to the engine, by HTTP/1.1 or HTTP/2 alike. */
export interface EngineHttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The query with its `?`, or "". */
  readonly search: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Readable;
  /** Aborted when the client gives the request up before the answer is complete. */
  readonly signal: AbortSignal;
  /** Sends the head of the answer, once; the answer's body is written to what it returns, which the handler ends. */
  respond(status: number, headers?: Readonly<Record<string, string>>): Writable;
}

/** Answers one request. Where it throws before it has responded, the client gets 500 with the error's message. */
export type EngineHttpHandler = (request: EngineHttpRequest) => Promise<void>;

/** Splits a request target into path and query. */
export function splitTarget(target: string): { readonly path: string; readonly search: string } {
  const index = target.indexOf("?");
  return index < 0 ? { path: target, search: "" } : { path: target.slice(0, index), search: target.slice(index) };
}

/** Runs a handler to its end and makes sure that there is an answer: `fail` breaks off one that has begun. */
export async function runHandler(
  handler: EngineHttpHandler,
  request: Omit<EngineHttpRequest, "respond">,
  answer: { readonly begin: EngineHttpRequest["respond"]; readonly fail: (error: unknown) => void },
): Promise<void> {
  let writable: Writable | undefined;
  const respond: EngineHttpRequest["respond"] = (status, headers) => {
    if (writable !== undefined) throw new Error("the request is answered already");
    writable = answer.begin(status, headers);
    return writable;
  };
  try {
    await handler({ ...request, respond });
    if (writable === undefined) throw new Error(`${request.path} was not answered`);
    if (!(writable as Writable).writableEnded) (writable as Writable).end();
  } catch (error) {
    if (request.signal.aborted) return;
    if (writable !== undefined) answer.fail(error);
    else answer.begin(500, PLAIN_TEXT).end(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}

/** Headers with which the engine sends its error texts. */
export const PLAIN_TEXT = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" } as const;
