import type { LogRecord, Span, TelemetryListener } from "@anyrunner/engine";

import { neutralize } from "./neutralize.ts";
import type { ProgressMode } from "./progress-mode.ts";
import { isHidden, outcomeOf } from "./span-outcome.ts";

export interface ShowTelemetryOptions {
  readonly progress: ProgressMode;
  /** Gets one line at a time. */
  readonly write: (line: string) => void;
}

/**
 * What to do with the telemetry of a session: `plain` prints a line when a step begins and ends and one for each line of its
 * output, `json` everything as objects. In the other modes nothing is fetched at all, which is faster.
 */
export function showTelemetry({ progress, write }: ShowTelemetryOptions): TelemetryListener | undefined {
  if (progress === "json") return (event) => writeJson(event, write);
  if (progress !== "plain") return undefined;
  const steps = createSteps(write);
  return (event) => {
    if (event.type === "span") steps.span(event.span);
    else if (event.type === "log") steps.log(event.log);
  };
}

const LONGEST_LINE = 8192;

interface Step {
  readonly number: number;
  begun: boolean;
  over: boolean;
  /** Output after its last line break. */
  rest: string;
}

function createSteps(write: (line: string) => void): { span(span: Span): void; log(log: LogRecord): void } {
  const steps = new Map<string, Step>();
  const stepOf = (spanId: string) => {
    const step = steps.get(spanId) ?? { number: steps.size + 1, begun: false, over: false, rest: "" };
    steps.set(spanId, step);
    return step;
  };
  const line = ({ number }: Step, text: string) => write(`${String(number).padEnd(4)}: ${neutralize(text)}`);
  const flush = (step: Step) => {
    if (step.rest !== "") line(step, `| ${step.rest}`);
    step.rest = "";
  };
  return {
    span(span) {
      if (isHidden(span)) return;
      const step = stepOf(span.spanId);
      if (step.over) return;
      if (!step.begun) line(step, span.name);
      step.begun = true;
      if (span.endTimeUnixNano === undefined) return;
      step.over = true;
      flush(step);
      line(step, `${span.name} ${outcomeOf(span)} [${(Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e9).toFixed(1)}s]`);
      if (span.failed && span.statusMessage !== "") line(step, `! ${span.statusMessage}`);
    },
    log(log) {
      if (log.attributes["dagger.io/logs.verbose"] === true || log.text === "") return;
      const step = stepOf(log.spanId);
      const lines = (step.rest + log.text).split("\n");
      step.rest = lines.pop() ?? "";
      for (const text of lines) line(step, `| ${text}`);
      if (step.over || step.rest.length > LONGEST_LINE) flush(step);
    },
  };
}

function writeJson(event: Parameters<TelemetryListener>[0], write: (line: string) => void): void {
  write(JSON.stringify(event, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
}
