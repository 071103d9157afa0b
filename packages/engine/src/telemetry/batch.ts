import type { TelemetrySignal } from "@anyrunner/protocol";

import { readLogs, readSpans, type LogRecord, type Span } from "./records.ts";

/** What a session's engine, or the program that uses the session, tells while it works. */
export type TelemetryEvent =
  | { readonly type: "span"; readonly span: Span }
  | { readonly type: "log"; readonly log: LogRecord }
  /** OTLP metrics in protobuf-JSON, as they were sent. */
  | { readonly type: "metrics"; readonly metrics: unknown };

/** Gets the records of a session one by one, as they come. */
export type TelemetryListener = (event: TelemetryEvent) => void;

/** One OTLP export request, in protobuf-JSON. */
export interface TelemetryBatch {
  readonly signal: TelemetrySignal;
  readonly request: unknown;
}

/** Gets the records of a session as they were sent. */
export type TelemetryBatchListener = (batch: TelemetryBatch) => void;

/** The records of a batch, one by one. */
export function emitBatch({ signal, request }: TelemetryBatch, listener: TelemetryListener): void {
  if (signal === "traces") for (const span of readSpans(request)) listener({ type: "span", span });
  else if (signal === "logs") for (const log of readLogs(request)) listener({ type: "log", log });
  else listener({ type: "metrics", metrics: request });
}

/** The batch without the items that `keep` refuses; the same object when it refuses none, `undefined` when nothing is left. */
export function filterBatch(batch: TelemetryBatch, keep: (item: Readonly<Record<string, unknown>>) => boolean): TelemetryBatch | undefined {
  if (batch.signal === "metrics") return batch;
  const [resources, scopes, items] =
    batch.signal === "traces" ? (["resourceSpans", "scopeSpans", "spans"] as const) : (["resourceLogs", "scopeLogs", "logRecords"] as const);
  let kept = 0;
  let left = 0;
  const request = mapList(batch.request, resources, (resource) =>
    mapList(resource, scopes, (scope) =>
      mapList(scope, items, (item) => {
        const wanted = isObject(item) && keep(item);
        if (wanted) kept++;
        else left++;
        return wanted ? item : undefined;
      }),
    ),
  );
  if (kept === 0) return undefined;
  return left === 0 ? batch : { signal: batch.signal, request };
}

function mapList(value: unknown, name: string, change: (item: unknown) => unknown): unknown {
  if (!isObject(value) || !Array.isArray(value[name])) return value;
  return { ...value, [name]: value[name].map(change).filter((item) => item !== undefined) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
