import type { LogRecord, Span } from "@anyrunner/engine";
import { expect, test } from "vitest";

import { showTelemetry } from "./show-telemetry.ts";

const span = (spanId: string, more: Partial<Span> = {}): Span => ({
  traceId: "t",
  spanId,
  parentSpanId: undefined,
  name: `step ${spanId}`,
  startTimeUnixNano: 1_000_000_000n,
  endTimeUnixNano: undefined,
  attributes: {},
  failed: false,
  statusMessage: "",
  continues: [],
  ...more,
});
const log = (spanId: string, text: string, attributes: LogRecord["attributes"] = {}): LogRecord => ({
  traceId: "t",
  spanId,
  timeUnixNano: 0n,
  text,
  attributes,
});

function shown(progress: "plain" | "json", events: readonly (Span | LogRecord)[]): string[] {
  const lines: string[] = [];
  const listener = showTelemetry({ progress, write: (line) => lines.push(line) });
  for (const event of events) listener?.("text" in event ? { type: "log", log: event } : { type: "span", span: event });
  return lines;
}

test("plain: a line when a step begins and ends, and one for each line of output", () => {
  const end = { endTimeUnixNano: 2_500_000_000n };
  expect(
    shown("plain", [
      span("a"),
      log("a", "one\ntw"),
      span("b", { attributes: { "dagger.io/dag.cached": true }, ...end }),
      log("a", "o\n\nrest"),
      span("a", { failed: true, statusMessage: "exit code 1", ...end }),
      span("a", end),
      log("a", "late"),
    ]),
  ).toEqual([
    "1   : step a",
    "1   : | one",
    "2   : step b",
    "2   : step b CACHED [1.5s]",
    "1   : | two",
    "1   : | ",
    "1   : | rest",
    "1   : step a ERROR [1.5s]",
    "1   : ! exit code 1",
    "1   : | late",
  ]);
});

test("plain: the engine's own affairs are left out, unless they fail", () => {
  const internal = { attributes: { "dagger.io/ui.internal": true } };
  expect(
    shown("plain", [
      span("a", internal),
      log("b", "noise\n", { "dagger.io/logs.verbose": true }),
      span("c", { ...internal, failed: true, endTimeUnixNano: 1_000_000_000n }),
    ]),
  ).toEqual(["1   : step c", "1   : step c ERROR [0.0s]"]);
});

test("json: everything, numbers of 64 bits as text", () => {
  expect(shown("json", [span("a")]).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { type: "span", span: { spanId: "a", startTimeUnixNano: "1000000000" } },
  ]);
});

test.each(["auto", "none"] as const)("%s fetches nothing", (progress) => {
  expect(showTelemetry({ progress, write: () => {} })).toBeUndefined();
});
