import { expect, test } from "vitest";

import { createRepeatFilter } from "./drop-repeats.ts";

const logs = (...texts: readonly string[]) => ({
  signal: "logs" as const,
  request: { resourceLogs: [{ scopeLogs: [{ logRecords: texts.map((stringValue) => ({ spanId: "s", timeUnixNano: "1", body: { stringValue } })) }] }] },
});

test("what has come before is left out; the rest stays", () => {
  const isNew = createRepeatFilter();
  const first = logs("a", "b");
  expect(isNew(first)).toBe(first);
  expect(isNew(logs("a"))).toBeUndefined();
  expect(isNew(logs("b", "c"))).toEqual(logs("c"));
});

test("metrics, and what has no shape at all, are passed on or dropped whole", () => {
  const isNew = createRepeatFilter();
  const metrics = { signal: "metrics" as const, request: { anything: 1 } };
  expect(isNew(metrics)).toBe(metrics);
  expect(isNew({ signal: "traces", request: { resourceSpans: [null, { scopeSpans: "no" }] } })).toBeUndefined();
});
