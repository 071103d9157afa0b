import { CLIENT_METADATA_HEADER, type EngineHttpHandler, type EngineHttpRequest } from "@anyrunner/protocol";

import type { DoubleClient, DoubleSessions } from "./double-session.ts";
import type { TelemetryFeed } from "./telemetry-feed.ts";
import { answerQuery, type QueryApi } from "./query-answer.ts";
import { sendForgottenStatus, sendText } from "./send-text.ts";

/** What the session API of the double works on. */
export interface SessionApi extends QueryApi {
  readonly sessions: DoubleSessions;
  readonly telemetry: TelemetryFeed;
  note(at: "query" | "telemetry" | "shutdown" | "init", request: EngineHttpRequest, body: string): void;
}

const TELEMETRY = { "/v1/traces": "spans", "/v1/logs": "logs", "/v1/metrics": "metrics" } as const;

/** The engine's HTTP session API (engine protocol 4.2-4.4) on one stream. */
export function serveSessionApi(api: SessionApi): EngineHttpHandler {
  return async (request) => {
    const header = request.headers[CLIENT_METADATA_HEADER];
    const metadata = typeof header === "string" ? header : undefined;
    if (Object.hasOwn(TELEMETRY, request.path)) return serveTelemetry(api, request, () => api.sessions.find(metadata));
    switch (request.path) {
      case "/query":
        return answerQuery(api, request, () => api.sessions.admit(metadata));
      case "/init":
        api.sessions.admit(metadata);
        api.note("init", request, "");
        request.respond(204).end();
        return;
      case "/shutdown":
        return serveShutdown(api, request, api.sessions.admit(metadata));
      default:
        return sendText(request, 404, "404 page not found");
    }
  };
}

async function serveTelemetry(api: SessionApi, request: EngineHttpRequest, find: () => DoubleClient): Promise<void> {
  if (request.method !== "GET") return sendText(request, 405, "Method Not Allowed");
  let client: DoubleClient;
  try {
    client = find();
  } catch (error) {
    return sendForgottenStatus(request, error instanceof Error ? error.message : String(error));
  }
  api.note("telemetry", request, "");
  const output = request.respond(200, { "content-type": "text/event-stream", "cache-control": "no-cache", date: new Date().toUTCString() });
  output.write("id: \nevent: subscribed\ndata\n\n");
  await api.meet("telemetry");
  await api.telemetry.send(TELEMETRY[request.path as keyof typeof TELEMETRY], output, { ended: client.ended, signal: request.signal });
}

async function serveShutdown(api: SessionApi, request: EngineHttpRequest, client: DoubleClient): Promise<void> {
  client.closing = true;
  api.note("shutdown", request, "");
  const refusal = await api.meet("shutdown");
  if (refusal !== undefined && "status" in refusal) return sendText(request, refusal.status, refusal.text);
  request.respond(200, { "content-length": "0", date: new Date().toUTCString() }).end();
  client.settle("ended");
}
