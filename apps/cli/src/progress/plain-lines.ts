import type { Span } from "@anyrunner/engine";

import { formatDuration } from "./format-duration.ts";
import { neutralize } from "./neutralize.ts";
import { outcomeOf } from "./span-outcome.ts";
import type { StepListener } from "./told-step.ts";

const LONGEST_LINE = 8192;
const MOST_STEPS = 10_000;

/** Work that went on with a step and took less than this, in ms, is worth no line unless it failed. */
const SHORTEST_WORK_MS = 100;

interface Step {
  readonly number: number;
  /** Empty before it has begun. */
  name: string;
  begun: boolean;
  over: boolean;
  /** Output after its last line break. */
  rest: string;
}

/**
 * Prints a line when a step begins and ends and one for each line of its output. A bounded number of steps is remembered, and one that was
 * forgotten gets a new number.
 */
export function createPlainLines(write: (line: string) => void): StepListener {
  const steps = new Map<string, Step>();
  let numbers = 0;
  const stepOf = (spanId: string) => {
    let step = steps.get(spanId);
    if (step === undefined) {
      if (steps.size >= MOST_STEPS) forgetSome(steps);
      step = { number: ++numbers, name: "", begun: false, over: false, rest: "" };
      steps.set(spanId, step);
    }
    return step;
  };
  const line = ({ number }: Step, text: string) => write(`${String(number).padEnd(4)}: ${neutralize(text)}`);
  const flush = (step: Step) => {
    if (step.rest !== "") line(step, `| ${step.rest}`);
    step.rest = "";
  };
  const end = (step: Step, span: Span) => {
    line(step, `${step.name} ${outcomeOf(span)} [${formatDuration(durationMs(span))}]`);
    if (span.failed && span.statusMessage !== "") line(step, `! ${span.statusMessage}`);
  };
  // The end of work that had been put off, told of the steps that it belongs to.
  const goOn = (span: Span) => {
    if (span.endTimeUnixNano === undefined || (!span.failed && durationMs(span) < SHORTEST_WORK_MS)) return;
    for (const id of span.continues) {
      const step = steps.get(id);
      if (step === undefined || step.name === "") continue;
      flush(step);
      end(step, span);
    }
  };
  return {
    step({ span, visibility, title }) {
      if (visibility === "through") return goOn(span);
      if (visibility !== "shown") return;
      const step = stepOf(span.spanId);
      if (step.over) return;
      step.name = span.name;
      if (!step.begun) line(step, title);
      step.begun = true;
      if (span.endTimeUnixNano === undefined) return;
      step.over = true;
      flush(step);
      end(step, span);
    },
    log(log) {
      const isOutput = log.attributes["dagger.io/logs.verbose"] !== true && log.attributes["dagger.io/progress.item"] === undefined;
      if (!isOutput || log.text === "") return;
      const step = stepOf(log.spanId);
      const lines = (step.rest + log.text).split("\n");
      step.rest = lines.pop() ?? "";
      for (const text of lines) line(step, `| ${text}`);
      if (step.over || step.rest.length > LONGEST_LINE) flush(step);
    },
  };
}

function durationMs({ startTimeUnixNano, endTimeUnixNano = startTimeUnixNano }: Span): number {
  return Number(endTimeUnixNano - startTimeUnixNano) / 1e6;
}

/** Those that are over, and a quarter of all at the least. */
function forgetSome(steps: Map<string, Step>): void {
  for (const [id, step] of steps) if (step.over) steps.delete(id);
  const oldest = [...steps.keys()].slice(0, Math.max(0, steps.size - (MOST_STEPS * 3) / 4));
  for (const id of oldest) steps.delete(id);
}
