import { RunnerError, type Reporter } from "@anyrunner/core";
import { readServerSentEvents, readText, type Http2Response } from "@anyrunner/protocol";

import { engineChanged } from "../engine-info.ts";
import type { SendSessionRequest } from "../session-request.ts";
import { readLogs, readSpans, type LogRecord, type Span } from "./records.ts";

/** What a session's engine tells while it works. */
export type TelemetryEvent =
  | { readonly type: "span"; readonly span: Span }
  | { readonly type: "log"; readonly log: LogRecord }
  /** OTLP metrics in protobuf-JSON, as the engine sent them. */
  | { readonly type: "metrics"; readonly metrics: unknown };

export type TelemetryListener = (event: TelemetryEvent) => void;

export interface TelemetrySubscription {
  /** Resolves when every stream has been read to its end; never rejects. */
  readonly drained: Promise<void>;
  stop(): void;
}

export interface SubscribeTelemetryInput {
  readonly request: SendSessionRequest;
  readonly listener?: TelemetryListener | undefined;
  readonly runner: string;
  readonly report?: Reporter | undefined;
}

/** One event may hold a thousand rows with the recipes of the calls in it. */
const LONGEST_EVENT_BYTES = 256 << 20;
const SIGNALS = ["traces", "logs", "metrics"] as const;

/**
 * Subscribes to the telemetry of the client (engine protocol 7.1). Even without a listener one stream is opened and left:
 * it becomes an event stream only on the engine where the attachables are, so it shows at once when an address balances between engines.
 * Fails with ENGINE_CHANGED then. A receiver that fails later ends quietly with a warning.
 */
export async function subscribeTelemetry(input: SubscribeTelemetryInput): Promise<TelemetrySubscription> {
  const { listener, request } = input;
  const stopping = new AbortController();
  const signals = listener === undefined ? SIGNALS.slice(0, 1) : SIGNALS;
  const responses = await Promise.all(
    signals.map(async (signal) => ({
      signal,
      response: await request({ path: `/v1/${signal}`, headers: { accept: "text/event-stream" }, signal: stopping.signal }),
    })),
  );
  for (const { response } of responses) await checkKnown(response, input.runner);
  if (listener === undefined) {
    // Nobody reads these bodies, so an abort would be an error that nobody handles; destroying them cancels as well.
    for (const { response } of responses) response.body.destroy();
    return { drained: Promise.resolve(), stop: () => {} };
  }
  const readers = responses.map(({ signal, response }) =>
    readStream(signal, response, listener).catch((error: unknown) => {
      if (stopping.signal.aborted) return;
      input.report?.({
        type: "warning",
        id: "telemetry",
        message: `telemetry (${signal}) ended early: ${error instanceof Error ? error.message : String(error)}`,
      });
    }),
  );
  return { drained: Promise.all(readers).then(() => {}), stop: () => stopping.abort() };
}

async function checkKnown(response: Http2Response, runner: string): Promise<void> {
  // Engine 0.21.8 says that it doesn't know the client with status 200, as plain text.
  if (response.status === 200 && String(response.headers["content-type"]).startsWith("text/event-stream")) return;
  const said = (await readText(response.body, { limitBytes: 1 << 16 })).trim();
  if (said.includes("not found")) throw engineChanged(runner, `the one that answers now says ${said}`);
  throw new RunnerError("WRONG_SERVER", `${runner} refused telemetry with status ${response.status}: ${said}`);
}

async function readStream(signal: (typeof SIGNALS)[number], response: Http2Response, listener: TelemetryListener): Promise<void> {
  for await (const event of readServerSentEvents(response.body, { limitBytes: LONGEST_EVENT_BYTES })) {
    if (event.data === "") continue;
    const message: unknown = JSON.parse(event.data);
    if (signal === "traces") for (const span of readSpans(message)) listener({ type: "span", span });
    else if (signal === "logs") for (const log of readLogs(message)) listener({ type: "log", log });
    else listener({ type: "metrics", metrics: message });
  }
}
