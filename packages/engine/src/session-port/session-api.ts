import { finished } from "node:stream/promises";

import {
  CLIENT_METADATA_HEADER,
  parseClientMetadata,
  type ClientMetadata,
  type EngineHttpHandler,
  type EngineHttpRequest,
  type Http2Response,
} from "@anyrunner/protocol";

import type { EngineSession } from "../session.ts";
import { createAuthorization } from "./authorization.ts";
import { createChildTelemetry } from "./child-telemetry.ts";
import { forwardedHeaders } from "./forwarded-headers.ts";

/**
 * What the session's port answers: every path of the engine goes on to the engine under the identity of the session, with two
 * exceptions. A child's `/shutdown` ends the child's part only, since the session is not its own; and its telemetry ends then.
 */
export function createSessionApi(session: EngineSession, token: string): EngineHttpHandler {
  const isAuthorized = createAuthorization(token);
  const telemetry = createChildTelemetry();
  return async (request) => {
    if (!isAuthorized(request.headers["authorization"])) {
      request.body.resume();
      request
        .respond(401, { "content-type": "text/plain; charset=utf-8", "www-authenticate": 'Basic realm="Access to the Dagger engine session"' })
        .end("unauthorized\n");
      return;
    }
    const child = childMetadata(request);
    if (request.path === "/shutdown") {
      request.body.resume();
      telemetry.end(child?.clientId);
      request.respond(200).end();
      return;
    }
    await forward(session, request, { child, done: isTelemetry(request) ? telemetry.begin(child?.clientId, request.signal) : undefined });
  };
}

interface ForwardOptions {
  readonly child: ClientMetadata | undefined;
  /** Aborted when the answer is to end in good order although the engine would go on. */
  readonly done: AbortSignal | undefined;
}

async function forward(session: EngineSession, request: EngineHttpRequest, { child, done }: ForwardOptions): Promise<void> {
  let answer: Http2Response;
  try {
    answer = await session.request({
      method: request.method,
      // The official session drops the query string as well; the engine has no use for it.
      path: request.path,
      headers: forwardedHeaders(request.headers),
      body: hasBody(request) ? request.body : undefined,
      metadata: child === undefined ? undefined : adoptedMetadata(child),
      signal: request.signal,
    });
  } catch (error) {
    if (request.signal.aborted) throw error;
    request.respond(502, { "content-type": "text/plain; charset=utf-8" }).end(`${error instanceof Error ? error.message : String(error)}\n`);
    return;
  }
  const response = request.respond(answer.status, forwardedHeaders(answer.headers));
  const end = () => {
    answer.body.unpipe(response);
    answer.body.on("error", () => {}).destroy();
    response.end();
  };
  if (done?.aborted) return end();
  done?.addEventListener("abort", end, { once: true });
  answer.body.once("error", (error) => response.destroy(error));
  request.signal.addEventListener("abort", () => answer.body.destroy(), { once: true });
  await finished(answer.body.pipe(response), { readable: false });
}

/** What a child says about its work is taken over; who it is, is not: files and secrets come from the session's own client. */
function adoptedMetadata({ extraModules, loadWorkspaceModules, workspace, allowedLlmModules, eagerRuntime }: ClientMetadata): Partial<ClientMetadata> {
  return { extraModules, loadWorkspaceModules, workspace, allowedLlmModules, eagerRuntime };
}

/** The metadata of a child that speaks the engine's protocol itself; SDKs send none. */
function childMetadata({ headers }: EngineHttpRequest): ClientMetadata | undefined {
  const header = headers[CLIENT_METADATA_HEADER];
  if (typeof header !== "string") return undefined;
  try {
    return parseClientMetadata(header);
  } catch {
    return undefined;
  }
}

function isTelemetry({ method, path }: EngineHttpRequest): boolean {
  return method === "GET" && /^\/v1\/(traces|logs|metrics)$/.test(path);
}

function hasBody({ method, headers }: EngineHttpRequest): boolean {
  if (headers["transfer-encoding"] !== undefined) return true;
  const length = headers["content-length"];
  // HTTP/2 needs no length to have a body.
  return length === undefined ? method !== "GET" && method !== "HEAD" && headers["connection"] === undefined : length !== "0";
}
