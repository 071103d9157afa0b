import { RunnerError, type Reporter } from "@anyrunner/core";
import { readServerSentEvents, readText, TELEMETRY_SIGNALS, type Http2Response, type TelemetrySignal } from "@anyrunner/protocol";

import { engineChanged } from "../engine-info.ts";
import type { SendSessionRequest } from "../session-request.ts";
import { emitBatch, type TelemetryBatchListener, type TelemetryListener } from "./batch.ts";

export interface TelemetrySubscription {
  /** Resolves when every stream has been read to its end; never rejects. */
  readonly drained: Promise<void>;
  stop(): void;
}

export interface SubscribeTelemetryInput {
  readonly request: SendSessionRequest;
  readonly listener?: TelemetryListener | undefined;
  /** The same, as the requests that the engine sent. */
  readonly batchListener?: TelemetryBatchListener | undefined;
  readonly runner: string;
  readonly report?: Reporter | undefined;
}

/** One event may hold a thousand rows with the recipes of the calls in it. */
const LONGEST_EVENT_BYTES = 256 << 20;

/**
 * Subscribes to the telemetry of the client (engine protocol 7.1). Even without a listener one stream is opened and left:
 * it becomes an event stream only on the engine where the attachables are, so it shows at once when an address balances between engines.
 * Fails with ENGINE_CHANGED then. A receiver that fails later ends quietly with a warning.
 */
export async function subscribeTelemetry(input: SubscribeTelemetryInput): Promise<TelemetrySubscription> {
  const { listener, batchListener, request } = input;
  const isWanted = listener !== undefined || batchListener !== undefined;
  const stopping = new AbortController();
  const signals = isWanted ? TELEMETRY_SIGNALS : TELEMETRY_SIGNALS.slice(0, 1);
  const responses = await Promise.all(
    signals.map(async (signal) => ({
      signal,
      response: await request({ path: `/v1/${signal}`, headers: { accept: "text/event-stream" }, signal: stopping.signal }),
    })),
  );
  for (const { response } of responses) await checkKnown(response, input.runner);
  if (!isWanted) {
    // Nobody reads these bodies, so an abort would be an error that nobody handles; destroying them cancels as well.
    for (const { response } of responses) response.body.destroy();
    return { drained: Promise.resolve(), stop: () => {} };
  }
  const readers = responses.map(({ signal, response }) =>
    readStream(signal, response, input).catch((error: unknown) => {
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

async function readStream(signal: TelemetrySignal, response: Http2Response, { listener, batchListener }: SubscribeTelemetryInput): Promise<void> {
  for await (const event of readServerSentEvents(response.body, { limitBytes: LONGEST_EVENT_BYTES })) {
    if (event.data === "") continue;
    const batch = { signal, request: JSON.parse(event.data) as unknown };
    batchListener?.(batch);
    if (listener !== undefined) emitBatch(batch, listener);
  }
}
