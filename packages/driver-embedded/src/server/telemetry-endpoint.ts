import { once } from "node:events";

import { CLIENT_METADATA_HEADER, parseClientMetadata, type EngineHttpRequest } from "@anyrunner/protocol";

import type { FeedKind } from "../telemetry/feed.ts";
import { header } from "./header.ts";
import type { Sessions } from "./sessions.ts";

const KINDS: Readonly<Record<"traces" | "logs" | "metrics", FeedKind>> = { traces: "spans", logs: "logs", metrics: "metrics" };

/** Server-sent events with the telemetry of one client, until its shutdown (engine protocol 7.1). */
export async function serveTelemetry(request: EngineHttpRequest, path: keyof typeof KINDS, sessions: Sessions): Promise<void> {
  request.body.resume();
  if (request.method !== "GET") {
    request.respond(405, { "content-type": "text/plain; charset=utf-8", allow: "GET" }).end("Method Not Allowed\n");
    return;
  }
  const metadata = parseClientMetadata(header(request, CLIENT_METADATA_HEADER));
  const found = sessions.find(metadata);
  if (found === undefined) throw new Error(`get client: client "${metadata.clientId}" not found`);

  const kind = KINDS[path];
  const out = request.respond(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  out.write("id: \nevent: subscribed\ndata\n\n");
  for await (const { cursor, json } of found.client.feed.read(kind, Number(header(request, "x-last-event-id") ?? 0) || 0, request.signal)) {
    if (!out.write(`id: ${cursor}\nevent: ${kind}\ndata: ${json}\n\n`)) await once(out, "drain", { signal: request.signal });
  }
  out.end();
}
