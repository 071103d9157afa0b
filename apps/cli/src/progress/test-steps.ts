import type { LogRecord, Span } from "@anyrunner/engine";

import { createLogTails } from "./log-tails.ts";
import { createStepAmounts } from "./step-amounts.ts";
import { createStepStore } from "./step-store.ts";
import { viewSteps, type ForestView, type StepView } from "./step-view.ts";
import { createVisibility } from "./step-visibility.ts";

/** Seconds become the span's times. */
export interface TestSpan extends Partial<Omit<Span, "attributes">> {
  readonly from?: number;
  readonly to?: number;
  readonly is?: readonly ("cached" | "canceled" | "internal" | "passthrough" | "encapsulated" | "encapsulate")[];
  readonly attributes?: Span["attributes"];
}

export function testSpan(spanId: string, { from = 0, to, is = [], attributes = {}, ...more }: TestSpan = {}): Span {
  const marks = is.map((mark) => [`dagger.io/${mark === "cached" || mark === "canceled" ? "dag" : "ui"}.${mark}`, true] as const);
  return {
    traceId: "t",
    spanId,
    parentSpanId: undefined,
    name: spanId,
    startTimeUnixNano: seconds(from),
    endTimeUnixNano: to === undefined ? undefined : seconds(to),
    attributes: { ...Object.fromEntries(marks), ...attributes },
    failed: false,
    statusMessage: "",
    continues: [],
    ...more,
  };
}

export function testLog(spanId: string, text: string, attributes: LogRecord["attributes"] = {}): LogRecord {
  return { traceId: "t", spanId, timeUnixNano: 0n, text, attributes };
}

/** What is shown of spans and logs ten seconds after the epoch. */
export function viewOf(records: readonly (Span | LogRecord)[], limit?: number): ForestView {
  const tails = createLogTails();
  const amounts = createStepAmounts();
  const store = createStepStore({ limit, onForget: (id) => tails.forget(id) });
  const visibility = createVisibility();
  for (const record of records) {
    if ("text" in record) {
      if (!amounts.add(record)) tails.add(record);
    } else store.add({ span: record, visibility: visibility(record), title: record.name });
  }
  return viewSteps({ store, tails, amounts, nowMs: 10_000 });
}

/** A forest in a line: `a running 2s [b failed 1s]`. */
export function outline(steps: readonly StepView[]): string {
  return steps
    .map(({ title, state, ms, children, folded }) => {
      const below = [...(folded > 0 ? [`+${folded}`] : []), ...(children.length > 0 ? [outline(children)] : [])].join(", ");
      return `${title} ${state} ${ms / 1000}s${below === "" ? "" : ` [${below}]`}`;
    })
    .join(", ");
}

function seconds(value: number): bigint {
  return BigInt(Math.round(value * 1000)) * 1_000_000n;
}
