import type { Span } from "@anyrunner/engine";
import { expect, test } from "vitest";

import { countSummary, formatSummary } from "./summary.ts";

const span = (spanId: string, more: Partial<Span> = {}): Span => ({
  traceId: "t",
  spanId,
  parentSpanId: undefined,
  name: spanId,
  startTimeUnixNano: 0n,
  endTimeUnixNano: 1n,
  attributes: {},
  failed: false,
  statusMessage: "",
  continues: [],
  ...more,
});

test("a step counts once, when it has ended", () => {
  const summary = countSummary(() => 0);
  const cached = { attributes: { "dagger.io/dag.cached": true } };
  for (const told of [span("a", { endTimeUnixNano: undefined }), span("a"), span("a"), span("b", cached), span("c", { failed: true })]) summary.add(told);
  expect(formatSummary(summary.read())).toBe("3 steps, 1 cached, 1 failed in 0.0s");
});

test("a step whose work was put off has failed when that fails", () => {
  const summary = countSummary(() => 0);
  for (const told of [span("a"), span("b"), span("c", { failed: true })]) summary.add(told);
  const later = span("later", { continues: ["a", "c", "never told"] });
  for (const told of [later, { ...later, failed: true, endTimeUnixNano: undefined }, { ...later, failed: true }, { ...later, failed: true }])
    summary.addLater(told);
  expect(summary.read()).toMatchObject({ steps: 3, cached: 0, failed: 2 });
});
