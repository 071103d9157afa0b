import type { LogRecord, Span } from "@anyrunner/engine";
import { expect, test } from "vitest";

import { createPlainLines } from "./plain-lines.ts";
import { createVisibility } from "./step-visibility.ts";

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

function shown(events: readonly (Span | LogRecord)[]): string[] {
  const lines: string[] = [];
  const listener = createPlainLines((line) => void lines.push(line));
  const visibility = createVisibility();
  for (const event of events) {
    if ("text" in event) listener.log(event);
    else listener.step({ span: event, visibility: visibility(event), title: `${event.name}()` });
  }
  listener.close();
  return lines;
}

test("a line when a step begins and ends, and one for each line of output", () => {
  const end = { endTimeUnixNano: 2_500_000_000n };
  expect(
    shown([
      span("a"),
      log("a", "one\ntw"),
      span("b", { attributes: { "dagger.io/dag.cached": true }, ...end }),
      log("a", "o\n\nrest"),
      span("a", { failed: true, statusMessage: "exit code 1", ...end }),
      span("a", end),
      log("a", "late"),
    ]),
  ).toEqual([
    "1   : step a()",
    "1   : | one",
    "2   : step b()",
    "2   : step b CACHED [1.5s]",
    "1   : | two",
    "1   : | ",
    "1   : | rest",
    "1   : step a ERROR [1.5s]",
    "1   : ! exit code 1",
    "1   : | late",
  ]);
});

test("output that comes before its step waits for it, or for the end", () => {
  const through = { attributes: { "dagger.io/ui.passthrough": true } };
  expect(shown([log("a", "one\ntwo"), span("b"), span("a"), log("c", "nameless\nend"), log("d", "of d\n"), span("d", through), span("e")])).toEqual([
    "1   : step b()",
    "2   : step a()",
    "2   : | one",
    "3   : | of d",
    "4   : step e()",
    "2   : | two",
    "5   : | nameless",
    "5   : | end",
  ]);
});

test("very much output waits for no step", () => {
  const lines = shown([...Array.from({ length: 1001 }, (_, index) => log("a", `${index}\n`)), span("a"), log("a", "more\n")]);
  expect([lines[0], lines[1000], lines[1001], lines[1002]]).toEqual(["1   : | 0", "1   : | 1000", "1   : step a()", "1   : | more"]);
});

test("the engine's own affairs are left out, unless they fail", () => {
  const internal = { attributes: { "dagger.io/ui.internal": true } };
  expect(
    shown([
      span("a", internal),
      log("b", "noise\n", { "dagger.io/logs.verbose": true }),
      span("c", { ...internal, failed: true, endTimeUnixNano: 1_000_000_000n }),
    ]),
  ).toEqual(["1   : step c()", "1   : step c ERROR [0.0s]"]);
});

test("the end of work that was put off is told of the step that it belongs to", () => {
  const resume = (more: Partial<Span>) => span("r", { attributes: { "dagger.io/ui.passthrough": true }, continues: ["a", "unknown"], ...more });
  const end = { endTimeUnixNano: 2_500_000_000n };
  expect(
    shown([
      span("a", { endTimeUnixNano: 1_000_000_000n }),
      resume({}),
      log("a", "unfinished"),
      resume({ endTimeUnixNano: 1_050_000_000n }),
      resume(end),
      resume({ ...end, failed: true, statusMessage: "exit code 1" }),
    ]),
  ).toEqual([
    "1   : step a()",
    "1   : step a DONE [0.0s]",
    "1   : | unfinished",
    "1   : step a DONE [1.5s]",
    "1   : step a ERROR [1.5s]",
    "1   : ! exit code 1",
  ]);
});

test("what is below the engine's own affairs is left out, too", () => {
  const internal = { attributes: { "dagger.io/ui.internal": true } };
  expect(shown([span("a", internal), span("b", { parentSpanId: "a" }), span("c", { parentSpanId: "b" }), span("d")])).toEqual(["1   : step d()"]);
});

test("of very many steps those that are over are forgotten", () => {
  const lines = shown(Array.from({ length: 30_000 }, (_, index) => span(String(index), { endTimeUnixNano: 1_000_000_000n })));
  expect(lines.at(-2)).toBe("30000: step 29999()");
});
