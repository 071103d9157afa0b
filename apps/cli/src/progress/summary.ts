import type { Span } from "@anyrunner/engine";

import { formatDuration } from "./format-duration.ts";
import { outcomeOf, type Outcome } from "./span-outcome.ts";

export interface Summary {
  readonly steps: number;
  readonly cached: number;
  readonly failed: number;
  /** From the start of the command, in ms. */
  readonly elapsedMs: number;
}

export interface SummaryCount {
  /** A step that has ended, perhaps not for the first time. */
  add(span: Span): void;
  /** Work that steps have put off: what they failed by is told of it only. */
  addLater(span: Span): void;
  read(): Summary;
}

const MOST_IDS = 20_000;

/** Counts the steps that have ended; each once, though it is told several times, as long as it is among the many that are remembered. */
export function countSummary(now: () => number): SummaryCount {
  const started = now();
  const counts = { steps: 0, CACHED: 0, CANCELED: 0, DONE: 0, ERROR: 0 };
  let recent = new Map<string, Outcome>();
  let older = new Map<string, Outcome>();
  const known = (id: string) => recent.get(id) ?? older.get(id);
  const remember = (id: string, outcome: Outcome) => {
    recent.set(id, outcome);
    if (recent.size >= MOST_IDS) [older, recent] = [recent, new Map()];
  };
  return {
    add(span) {
      if (span.endTimeUnixNano === undefined || known(span.spanId) !== undefined) return;
      const outcome = outcomeOf(span);
      remember(span.spanId, outcome);
      counts.steps++;
      counts[outcome]++;
    },
    addLater(span) {
      if (span.endTimeUnixNano === undefined || outcomeOf(span) !== "ERROR") return;
      for (const id of span.continues) {
        const outcome = known(id);
        if (outcome === undefined || outcome === "ERROR") continue;
        remember(id, "ERROR");
        counts[outcome]--;
        counts.ERROR++;
      }
    },
    read: () => ({ steps: counts.steps, cached: counts.CACHED, failed: counts.ERROR, elapsedMs: Math.round(now() - started) }),
  };
}

export function formatSummary({ steps, cached, failed, elapsedMs }: Summary): string {
  const parts = [`${steps} ${steps === 1 ? "step" : "steps"}`, ...(cached > 0 ? [`${cached} cached`] : []), ...(failed > 0 ? [`${failed} failed`] : [])];
  return `${parts.join(", ")} in ${formatDuration(elapsedMs)}`;
}
