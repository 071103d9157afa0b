import { once } from "node:events";
import type { Writable } from "node:stream";

/** The three kinds of telemetry, by the name that their events have. */
export type TelemetryKind = "spans" | "logs" | "metrics";

/** One event of a telemetry stream. */
export interface DoubleTelemetryEvent {
  readonly kind: TelemetryKind;
  /** What stands in the data line: an export request as protobuf JSON. */
  readonly data: unknown;
}

export interface TelemetryFeed {
  /** Adds an event for every subscriber, those that come later included. */
  push(event: DoubleTelemetryEvent): void;
  /** Writes what there is and what comes, until `ended`; then the rest, and the end. */
  send(kind: TelemetryKind, output: Writable, options: { readonly ended: Promise<void>; readonly signal: AbortSignal }): Promise<void>;
}

/** Telemetry as the engine's event streams carry it (engine protocol 7.1): kept, numbered, one line of JSON an event. */
export function createTelemetryFeed(): TelemetryFeed {
  const events: DoubleTelemetryEvent[] = [];
  const waiting = new Set<() => void>();
  return {
    push(event) {
      events.push(event);
      for (const wake of waiting) wake();
      waiting.clear();
    },
    async send(kind, output, { ended, signal }) {
      let over = false;
      const gone = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      const stop = Promise.race([ended, gone]).then(() => {
        over = true;
      });
      for (let next = 0; ;) {
        for (; next < events.length && !signal.aborted; next++) {
          const event = events[next];
          if (event?.kind === kind && !output.write(`id: ${next + 1}\nevent: ${kind}\ndata: ${JSON.stringify(event.data)}\n\n`)) {
            await Promise.race([once(output, "drain"), gone]);
          }
        }
        if (over) break;
        await Promise.race([stop, new Promise<void>((resolve) => waiting.add(resolve))]);
      }
      output.end();
    },
  };
}
