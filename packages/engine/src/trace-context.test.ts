import { expect, test } from "vitest";

import { createTraceContext, formatTraceparent, parseTraceparent } from "./trace-context.ts";

test("a new context is valid, sampled and different each time", () => {
  const first = formatTraceparent(createTraceContext({}));
  expect(first).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  expect(formatTraceparent(createTraceContext({}))).not.toBe(first);
});

test("the surrounding trace goes on under a new span", () => {
  const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const context = createTraceContext({ TRACEPARENT: parent });
  expect(context.traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  expect(context.spanId).not.toBe("b7ad6b7169203331");
});

test.each([[""], ["00-xyz-abc-01"], ["00-00000000000000000000000000000000-b7ad6b7169203331-01"], ["00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"]])(
  "%j is no trace context",
  (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  },
);
