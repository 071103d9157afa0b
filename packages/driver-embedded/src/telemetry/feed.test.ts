import { expect, test } from "vitest";

import { createFeed } from "./feed.ts";
import { parseTraceparent, startSpan } from "./span.ts";

const TRACE = "00b906e68a0eeac15860a4f68d1b965f";

test("a span is sent when it begins and again when it ends, ids in base64", async () => {
  const feed = createFeed();
  const span = startSpan(feed, "work", { traceId: TRACE, parentSpanId: "a5b3885e21df69ce" });
  span.log(1, "said\n");
  span.end({ cached: true });
  span.end({ error: "too late" });
  feed.end();
  const batches = [];
  for await (const { json } of feed.read("spans", 0, new AbortController().signal)) batches.push(JSON.parse(json));
  const spans = batches.flatMap((batch) => batch.resourceSpans[0].scopeSpans[0].spans);
  expect(spans).toMatchObject([
    { traceId: "ALkG5ooO6sFYYKT2jRuWXw==", parentSpanId: "pbOIXiHfac4=", name: "work", endTimeUnixNano: "11651379494838206464", status: {} },
    { status: { code: "STATUS_CODE_OK" }, attributes: [{ key: "dagger.io/dag.cached", value: { boolValue: true } }] },
  ]);
  const logs = [];
  for await (const { json } of feed.read("logs", 0, new AbortController().signal)) logs.push(JSON.parse(json));
  expect(logs[0].resourceLogs[0].scopeLogs[0].logRecords).toMatchObject([
    { body: { stringValue: "said\n" }, attributes: [{ key: "stdio.stream", value: { intValue: "1" } }] },
    { body: { stringValue: "" }, attributes: [{ key: "stdio.stream" }, { key: "stdio.eof", value: { boolValue: true } }] },
  ]);
});

test("a reader that comes back gets what is new, one that is aborted ends", async () => {
  const feed = createFeed();
  startSpan(feed, "one", { traceId: TRACE });
  const controller = new AbortController();
  const cursors: number[] = [];
  for await (const { cursor } of feed.read("spans", 0, controller.signal)) {
    cursors.push(cursor);
    controller.abort();
  }
  startSpan(feed, "two", { traceId: TRACE });
  feed.end();
  const rest = [];
  for await (const { json } of feed.read("spans", cursors[0] ?? 0, new AbortController().signal)) rest.push(json);
  expect(rest.join("")).toContain('"two"');
  expect(rest.join("")).not.toContain('"one"');
});

test.each([
  [`00-${TRACE}-a5b3885e21df69ce-01`, { traceId: TRACE, spanId: "a5b3885e21df69ce" }],
  [`00-${TRACE}-a5b3885e21df69ce-00`, undefined],
  ["nonsense", undefined],
  [undefined, undefined],
])("traceparent %s", (header, parent) => {
  expect(parseTraceparent(header)).toEqual(parent);
});
