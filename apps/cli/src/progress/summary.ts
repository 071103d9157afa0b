import type { Span } from "@anyrunner/engine";

import { isHidden, outcomeOf } from "./span-outcome.ts";

export interface Summary {
  readonly steps: number;
  readonly cached: number;
  readonly failed: number;
  /** From the start of the command, in ms. */
  readonly elapsedMs: number;
}

export interface SummaryCount {
  add(span: Span): void;
  read(): Summary;
}

/** Counts the steps that have ended; each once, though it is told several times. */
export function countSummary(now: () => number): SummaryCount {
  const started = now();
  const outcomes = new Map<string, string>();
  return {
    add(span) {
      if (span.endTimeUnixNano !== undefined && !isHidden(span)) outcomes.set(span.spanId, outcomeOf(span));
    },
    read() {
      const count = (wanted: string) => [...outcomes.values()].filter((outcome) => outcome === wanted).length;
      return { steps: outcomes.size, cached: count("CACHED"), failed: count("ERROR"), elapsedMs: Math.round(now() - started) };
    },
  };
}

export function formatSummary({ steps, cached, failed, elapsedMs }: Summary): string {
  const parts = [`${steps} ${steps === 1 ? "step" : "steps"}`, ...(cached > 0 ? [`${cached} cached`] : []), ...(failed > 0 ? [`${failed} failed`] : [])];
  return `${parts.join(", ")} in ${(elapsedMs / 1000).toFixed(1)}s`;
}
