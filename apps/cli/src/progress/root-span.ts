import type { TelemetryBatch, TraceContext } from "@anyrunner/engine";

export interface RootSpanOptions {
  readonly trace: TraceContext;
  readonly name: string;
  readonly version: string;
  /** Span id of the surrounding process. */
  readonly parentSpanId: string | undefined;
  /** Nanoseconds of the Unix epoch. */
  readonly now?: (() => bigint) | undefined;
}

/** Our own span, in which the engine's and the child's are; it continues the trace of the surrounding process. */
export function rootSpan({
  trace,
  name,
  parentSpanId,
  version,
  now = () => BigInt(Date.now()) * 1_000_000n,
}: RootSpanOptions): (ended: boolean) => TelemetryBatch {
  const startTimeUnixNano = String(now());
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  return (ended) => ({
    signal: "traces",
    request: {
      resourceSpans: [
        {
          resource: { attributes: [text("service.name", "anyrunner"), text("service.version", version)] },
          scopeSpans: [
            {
              scope: { name: "anyrunner" },
              spans: [
                {
                  traceId: base64(trace.traceId),
                  spanId: base64(trace.spanId),
                  ...(parentSpanId === undefined ? {} : { parentSpanId: base64(parentSpanId) }),
                  name,
                  kind: "SPAN_KIND_INTERNAL",
                  startTimeUnixNano,
                  ...(ended ? { endTimeUnixNano: String(now()) } : {}),
                  attributes: [{ key: "dagger.io/ui.passthrough", value: { boolValue: true } }],
                },
              ],
            },
          ],
        },
      ],
    },
  });
}

function base64(id: string): string {
  return Buffer.from(id, "hex").toString("base64");
}
