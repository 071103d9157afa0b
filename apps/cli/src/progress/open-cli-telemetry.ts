import type { TelemetryBatch, TelemetryBatchListener, TelemetryListener, TraceContext } from "@anyrunner/engine";

import type { CommandContext } from "../command-context.ts";
import { rootSpan } from "./root-span.ts";
import { showTelemetry } from "./show-telemetry.ts";
import { countSummary, formatSummary } from "./summary.ts";

/** Everything that becomes of a session's telemetry: shown, exported, saved. */
export interface CliTelemetry {
  /** Takes the engine's telemetry and the child's. Absent when nobody wants any, so that none is fetched. */
  readonly onBatch: TelemetryBatchListener | undefined;
  /** The session is open: its trace begins with a span of our own. */
  begin(trace: TraceContext): void;
  /** Nothing more comes: delivers what is left within a budget, and shows the summary. Never throws. */
  close(): Promise<void>;
}

export interface OpenCliTelemetryOptions {
  readonly name: string;
  /** Gets one line at a time. */
  readonly write: (line: string) => void;
  readonly now?: (() => number) | undefined;
}

const EXPORT_BUDGET_MS = 5000;

export async function openCliTelemetry(
  context: CommandContext,
  { name, write, now = () => performance.now() }: OpenCliTelemetryOptions,
): Promise<CliTelemetry> {
  const { env, progress, report, telemetryFile } = context;
  const show = showTelemetry({ progress, write });
  const isExported = Object.keys(env).some((variable) => /^OTEL_EXPORTER_OTLP_(TRACES_|LOGS_|METRICS_)?ENDPOINT$/.test(variable));
  const unwanted: CliTelemetry = { onBatch: undefined, begin() {}, async close() {} };
  if (show === undefined && !isExported && telemetryFile === undefined) return unwanted;

  const { createRepeatFilter, emitBatch, exportTelemetry, parseTraceparent, saveTelemetry } = await import("@anyrunner/engine");
  const receivers = [exportTelemetry({ env, report }), telemetryFile === undefined ? undefined : saveTelemetry(telemetryFile, report)].filter(
    (receiver) => receiver !== undefined,
  );
  if (show === undefined && receivers.length === 0) return unwanted;
  const isNew = createRepeatFilter();
  const summary = countSummary(now);
  const listener: TelemetryListener = (event) => {
    if (event.type === "span") summary.add(event.span);
    show?.(event);
  };
  let root: ((ended: boolean) => TelemetryBatch) | undefined;
  const onBatch: TelemetryBatchListener = (batch) => {
    const fresh = isNew(batch);
    if (fresh === undefined) return;
    for (const receiver of receivers) receiver.add(fresh);
    if (show !== undefined) emitBatch(fresh, listener);
  };
  return {
    onBatch,
    begin(trace) {
      root = rootSpan({
        trace,
        name: env["DAGGER_TRACE_NAME"] || name,
        parentSpanId: parseTraceparent(env["TRACEPARENT"] ?? "")?.spanId,
        version: context.version,
      });
      onBatch(root(false));
    },
    async close() {
      if (root !== undefined) onBatch(root(true));
      await Promise.all(receivers.map((receiver) => receiver.close({ budgetMs: EXPORT_BUDGET_MS })));
      const facts = summary.read();
      if (show === undefined || facts.steps === 0) return;
      write(progress === "json" ? JSON.stringify({ type: "summary", ...facts }) : formatSummary(facts));
    },
  };
}
