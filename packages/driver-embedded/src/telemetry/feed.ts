import { setTimeout as delay } from "node:timers/promises";

import { logsToJson, spansToJson } from "./otlp-json.ts";
import type { LogRecord, SpanRecord, SpanSink } from "./span.ts";

/** The telemetry of one client: collected from the start, read by any number of event streams, each from its own place. */
export interface Feed extends SpanSink {
  /** Nothing more will come; readers end once they have everything. */
  end(): void;
  /** Batches of `kind` after cursor `after`, until the feed has ended or `signal` is aborted. */
  read(kind: FeedKind, after: number, signal: AbortSignal): AsyncIterable<FeedBatch>;
}

export type FeedKind = "spans" | "logs" | "metrics";

export interface FeedBatch {
  /** The place of its last row; a reader that comes back names it. */
  readonly cursor: number;
  /** One line of protobuf-JSON. */
  readonly json: string;
}

const MAX_BATCH = 1000;
/** Rows kept per kind; what is older is dropped, so that a client that never reads costs no more than this. */
const MAX_ROWS = 20_000;
/** Rows are gathered this long, so that a chatty command does not make an event of every write. */
const GATHER_MS = 50;

export function createFeed(): Feed {
  const spans = createRows<SpanRecord>();
  const logs = createRows<LogRecord>();
  const metrics = createRows<never>();
  const end = new AbortController();
  let wake = Promise.withResolvers<void>();
  const notify = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };

  return {
    span(record) {
      spans.add(record);
      notify();
    },
    log(record) {
      logs.add(record);
      notify();
    },
    end() {
      end.abort();
      notify();
    },
    async *read(kind, after, signal) {
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      const over = AbortSignal.any([signal, end.signal]);
      let cursor = after;
      while (!signal.aborted) {
        const batch = kind === "spans" ? spans.batch(cursor, spansToJson) : kind === "logs" ? logs.batch(cursor, logsToJson) : metrics.batch(cursor, () => "");
        if (batch !== undefined) {
          cursor = batch.cursor;
          yield batch;
          continue;
        }
        if (end.signal.aborted) return;
        await Promise.race([wake.promise, aborted]);
        // Its timer holds the process: in one that has the runner in itself, this may be all that is left to do.
        await delay(GATHER_MS, undefined, { signal: over }).catch(() => {});
      }
    },
  };
}

function createRows<T>() {
  let rows: T[] = [];
  let dropped = 0;
  return {
    add(row: T) {
      rows.push(row);
      if (rows.length > MAX_ROWS) {
        dropped += MAX_ROWS / 2;
        rows = rows.slice(MAX_ROWS / 2);
      }
    },
    batch(after: number, toJson: (rows: readonly T[]) => string): FeedBatch | undefined {
      const from = Math.max(0, after - dropped);
      const chosen = rows.slice(from, from + MAX_BATCH);
      return chosen.length === 0 ? undefined : { cursor: dropped + from + chosen.length, json: toJson(chosen) };
    },
  };
}
