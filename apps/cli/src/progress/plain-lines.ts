import type { Span } from "@anyrunner/engine";

import { formatDuration } from "./format-duration.ts";
import { neutralize } from "./neutralize.ts";
import { outcomeOf } from "./span-outcome.ts";
import type { StepListener } from "./told-step.ts";

const LONGEST_LINE = 8192;
const MOST_STEPS = 10_000;

/** Work that went on with a step and took less than this, in ms, is worth no line unless it failed. */
const SHORTEST_WORK_MS = 100;

/** Lines of output that wait for their steps to be told, at most. */
const MOST_WAITING = 1000;

/** Steps and their output as lines. */
export interface PlainLines extends StepListener {
  /** Nothing more comes: prints what still waits. */
  close(): void;
}

interface Step {
  /** 0 before its first line. */
  number: number;
  /** Empty before it has begun. */
  name: string;
  begun: boolean;
  over: boolean;
  /** Output after its last line break. */
  rest: string;
  /** Output that came before the step was told. */
  waiting: string[];
}

/**
 * Prints a line when a step begins and ends and one for each line of its output, which waits for the step. A bounded number of steps is
 * remembered, and one that was forgotten gets a new number.
 */
export function createPlainLines(write: (line: string) => void): PlainLines {
  const steps = new Map<string, Step>();
  let numbers = 0;
  let waiting = 0;
  const stepOf = (spanId: string) => {
    let step = steps.get(spanId);
    if (step === undefined) {
      if (steps.size >= MOST_STEPS) for (const forgotten of forgetSome(steps)) flush(forgotten);
      step = { number: 0, name: "", begun: false, over: false, rest: "", waiting: [] };
      steps.set(spanId, step);
    }
    return step;
  };
  const line = (step: Step, text: string) => {
    step.number ||= ++numbers;
    write(`${String(step.number).padEnd(4)}: ${neutralize(text)}`);
  };
  const release = (step: Step) => {
    waiting -= step.waiting.length;
    for (const text of step.waiting.splice(0)) line(step, text);
  };
  const output = (step: Step, text: string) => {
    if (step.begun) return line(step, `| ${text}`);
    step.waiting.push(`| ${text}`);
    if (++waiting > MOST_WAITING) release(step);
  };
  const flush = (step: Step) => {
    if (step.rest !== "") output(step, step.rest);
    step.rest = "";
    release(step);
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
      const unshown = visibility === "shown" ? undefined : steps.get(span.spanId);
      if (unshown !== undefined) release(unshown);
      if (visibility === "through") return goOn(span);
      if (visibility !== "shown") return;
      const step = stepOf(span.spanId);
      if (step.over) return;
      step.name = span.name;
      if (!step.begun) line(step, title);
      step.begun = true;
      release(step);
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
      for (const text of lines) output(step, text);
      if (step.over || step.rest.length > LONGEST_LINE) flush(step);
    },
    close() {
      for (const step of steps.values()) flush(step);
    },
  };
}

function durationMs({ startTimeUnixNano, endTimeUnixNano = startTimeUnixNano }: Span): number {
  return Number(endTimeUnixNano - startTimeUnixNano) / 1e6;
}

/** Those that are over, and a quarter of all at the least. Gives the others among them. */
function forgetSome(steps: Map<string, Step>): readonly Step[] {
  for (const [id, step] of steps) if (step.over) steps.delete(id);
  const oldest = [...steps].slice(0, Math.max(0, steps.size - (MOST_STEPS * 3) / 4));
  for (const [id] of oldest) steps.delete(id);
  return oldest.map(([, step]) => step);
}
