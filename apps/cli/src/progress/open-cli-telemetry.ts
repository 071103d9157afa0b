import type { Span, TelemetryBatch, TelemetryBatchListener, TelemetryListener, TelemetryMask, TraceContext } from "@anyrunner/engine";

import type { CommandContext } from "../command-context.ts";
import { canDraw, type ProgressMode } from "./progress-mode.ts";
import { rootSpan } from "./root-span.ts";
import { createVisibility, type Visibility } from "./step-visibility.ts";
import { countSummary, formatSummary, type SummaryCount } from "./summary.ts";
import type { StepListener } from "./told-step.ts";
import type { DrawingTerminal, TreeProgress } from "./tree-progress.ts";

/** Everything that becomes of a session's telemetry: shown, exported, saved. */
export interface CliTelemetry {
  /** Takes the engine's telemetry and the child's. Absent when nobody wants any, so that none is fetched. */
  readonly onBatch: TelemetryBatchListener | undefined;
  /** Whether a tree is drawn on the terminal. */
  readonly isDrawn: boolean;
  /** The session is open: its trace begins with a span of our own. */
  begin(trace: TraceContext): void;
  /** From now on the value appears nowhere. */
  hide(value: string): void;
  /** Leaves the terminal to somebody else until what it gives is called. */
  hold(): () => void;
  /** Nothing more comes: delivers what is left within a budget, and shows the summary. Never throws. */
  close(): Promise<void>;
}

export interface OpenCliTelemetryOptions {
  readonly name: string;
  /** Gets one line at a time. */
  readonly write: (line: string) => void;
  /** What a tree is drawn on. Default: standard error. */
  readonly terminal?: (DrawingTerminal & { readonly isTTY?: boolean | undefined }) | undefined;
  readonly now?: (() => number) | undefined;
}

const EXPORT_BUDGET_MS = 5000;

export async function openCliTelemetry(
  context: CommandContext,
  { name, write, terminal = process.stderr, now = () => performance.now() }: OpenCliTelemetryOptions,
): Promise<CliTelemetry> {
  const { env, report, telemetryFile } = context;
  const progress = context.progress === "tty" && !canDraw({ env, stream: terminal }) ? "plain" : context.progress;
  const isShown = progress === "plain" || progress === "tty" || progress === "json";
  const isExported = Object.keys(env).some((variable) => /^OTEL_EXPORTER_OTLP_(TRACES_|LOGS_|METRICS_)?ENDPOINT$/.test(variable));
  const unwanted: CliTelemetry = { onBatch: undefined, isDrawn: false, begin() {}, hide() {}, hold: () => () => {}, async close() {} };
  if (!isShown && !isExported && telemetryFile === undefined) return unwanted;

  const { createRepeatFilter, createTelemetryMask, emitBatch, exportTelemetry, parseTraceparent, saveTelemetry } = await import("@anyrunner/engine");
  const receivers = [exportTelemetry({ env, report }), telemetryFile === undefined ? undefined : saveTelemetry(telemetryFile, report)].filter(
    (receiver) => receiver !== undefined,
  );
  if (!isShown && receivers.length === 0) return unwanted;
  const isNew = createRepeatFilter();
  const mask: TelemetryMask = createTelemetryMask();
  const summary = countSummary(now);
  let tree: TreeProgress | undefined;
  if (progress === "tty") {
    const { createTreeProgress } = await import("./tree-progress.ts");
    tree = createTreeProgress({ terminal, env, summary: () => summary.read() });
  }
  const lines = progress === "plain" ? (await import("./plain-lines.ts")).createPlainLines(write) : undefined;
  const shown = await showEvents(progress, { listener: tree ?? lines, write, summary });
  let root: ((ended: boolean) => TelemetryBatch) | undefined;
  const onBatch: TelemetryBatchListener = (batch) => {
    const fresh = isNew(mask.mask(batch));
    if (fresh === undefined) return;
    for (const receiver of receivers) receiver.add(fresh);
    if (shown !== undefined) emitBatch(fresh, shown);
  };
  return {
    onBatch,
    isDrawn: tree !== undefined,
    begin(trace) {
      root = rootSpan({
        trace,
        name: env["DAGGER_TRACE_NAME"] || name,
        parentSpanId: parseTraceparent(env["TRACEPARENT"] ?? "")?.spanId,
        version: context.version,
      });
      onBatch(root(false));
    },
    hide: (value) => mask.add(value),
    hold: () => tree?.hold() ?? (() => {}),
    async close() {
      if (root !== undefined) onBatch(root(true));
      tree?.close();
      lines?.close();
      await Promise.all(receivers.map((receiver) => receiver.close({ budgetMs: EXPORT_BUDGET_MS })));
      const facts = summary.read();
      if (!isShown || tree !== undefined || facts.steps === 0) return;
      write(progress === "json" ? JSON.stringify({ type: "summary", ...facts }) : formatSummary(facts));
    },
  };
}

interface ShowEventsOptions {
  readonly listener: StepListener | undefined;
  readonly write: (line: string) => void;
  readonly summary: SummaryCount;
}

async function showEvents(progress: ProgressMode, { listener, write, summary }: ShowEventsOptions): Promise<TelemetryListener | undefined> {
  const visibility = createVisibility();
  const count = (span: Span, shown: Visibility) => {
    if (shown === "shown") summary.add(span);
    else if (shown === "through") summary.addLater(span);
  };
  if (progress === "json") {
    return (event) => {
      if (event.type === "span") count(event.span, visibility(event.span));
      writeJson(event, write);
    };
  }
  if (listener === undefined) return undefined;
  const titleOf = await (await import("@anyrunner/engine")).createSpanTitle();
  return (event) => {
    if (event.type === "log") return listener.log(event.log);
    if (event.type !== "span") return;
    const step = { span: event.span, visibility: visibility(event.span), title: titleOf(event.span) };
    count(step.span, step.visibility);
    listener.step(step);
  };
}

function writeJson(event: Parameters<TelemetryListener>[0], write: (line: string) => void): void {
  write(JSON.stringify(event, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
}
