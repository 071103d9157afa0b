import fc from "fast-check";
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

test("lines whose writer gives no time are told apart by when they were seen", () => {
  const isNew = createRepeatFilter();
  const line = (observedTimeUnixNano: string) => ({
    signal: "logs" as const,
    request: { resourceLogs: [{ scopeLogs: [{ logRecords: [{ spanId: "s", observedTimeUnixNano, body: { stringValue: "." } }] }] }] },
  });
  expect([isNew(line("1")), isNew(line("2")), isNew(line("1"))]).toEqual([line("1"), line("2"), undefined]);
});

const text = fc.constantFrom("a", "b");
const span = fc.record(
  { spanId: text, startTimeUnixNano: text, endTimeUnixNano: text, attributes: fc.array(fc.record({ key: text })), status: fc.record({ code: text }) },
  { requiredKeys: ["spanId"] },
);
const spansOf = (batch: unknown) =>
  ((batch as { request: { resourceSpans: { scopeSpans: { spans: unknown[] }[] }[] } } | undefined)?.request.resourceSpans ?? []).flatMap((resource) =>
    resource.scopeSpans.flatMap((scope) => scope.spans),
  );

test("of whatever batches come, each span passes once, in order, and nothing is changed (property)", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.array(span)), { maxLength: 6 }), (batches) => {
      const isNew = createRepeatFilter();
      const sent = batches.map((scopes) => ({ signal: "traces" as const, request: { resourceSpans: [{ scopeSpans: scopes.map((spans) => ({ spans })) }] } }));
      const before = JSON.stringify(sent);
      const passed = sent.flatMap((batch) => spansOf(isNew(batch)));
      const all = sent.flatMap(spansOf);
      const keys = all.map((item) => JSON.stringify(item, ["spanId", "startTimeUnixNano", "endTimeUnixNano", "attributes", "key", "status", "code"]));
      expect(passed).toEqual(all.filter((_, i) => keys.indexOf(keys[i] as string) === i));
      expect(JSON.stringify(sent)).toBe(before);
    }),
  );
});

test("whatever has no shape is dropped or passed, and breaks nothing (property)", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("traces" as const, "logs" as const),
      fc.dictionary(fc.constantFrom("resourceSpans", "resourceLogs"), fc.jsonValue()),
      (signal, request) => {
        expect([undefined, signal]).toContain(createRepeatFilter()({ signal, request })?.signal);
      },
    ),
  );
});
