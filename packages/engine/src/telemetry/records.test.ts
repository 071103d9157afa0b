import { describe, expect, test } from "vitest";

import { readLogs, readSpans } from "./records.ts";

const TRACE = Buffer.from("0af7651916cd43dd8448eb211c80319c", "hex").toString("base64");
const SPAN = Buffer.from("b7ad6b7169203331", "hex").toString("base64");

describe("readSpans", () => {
  test("decodes ids from base64, integers from strings and enums by name", () => {
    const [span] = readSpans({
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: TRACE,
                  spanId: SPAN,
                  name: "exec sh",
                  startTimeUnixNano: "1700000000000000000",
                  endTimeUnixNano: "1700000001000000000",
                  status: { code: "STATUS_CODE_ERROR", message: "exit code: 3" },
                  links: [
                    { spanId: SPAN, attributes: [{ key: "dagger.io/link.purpose", value: { stringValue: "cause" } }] },
                    { spanId: SPAN },
                    { spanId: TRACE, attributes: [{ key: "dagger.io/link.purpose", value: { stringValue: "error_origin" } }] },
                  ],
                  attributes: [
                    { key: "dagger.io/dag.cached", value: { boolValue: true } },
                    { key: "n", value: { intValue: "9007199254740993" } },
                    { key: "list", value: { arrayValue: { values: [{ stringValue: "a" }, {}] } } },
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
    expect(span).toEqual({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      parentSpanId: undefined,
      name: "exec sh",
      startTimeUnixNano: 1700000000000000000n,
      endTimeUnixNano: 1700000001000000000n,
      attributes: { "dagger.io/dag.cached": true, n: 9007199254740993n, list: ["a", undefined] },
      failed: true,
      statusMessage: "exit code: 3",
      continues: ["b7ad6b7169203331"],
    });
  });

  test("Go's zero time as end means that the span still runs", () => {
    const spans = [{ startTimeUnixNano: "1700000000000000000", endTimeUnixNano: "11651379494838206464" }];
    expect(readSpans({ resourceSpans: [{ scopeSpans: [{ spans }] }] })[0]?.endTimeUnixNano).toBeUndefined();
  });

  test.each([[null], [[]], ["x"], [{ resourceSpans: 3 }], [{ resourceSpans: [null, { scopeSpans: [{ spans: "no" }] }] }]])("%j has no spans", (message) => {
    expect(readSpans(message)).toEqual([]);
  });
});

test("readLogs gives text, stream and place", () => {
  const record = {
    traceId: TRACE,
    spanId: SPAN,
    timeUnixNano: "5",
    body: { stringValue: "hello\n" },
    attributes: [{ key: "stdio.stream", value: { intValue: "1" } }],
  };
  expect(readLogs({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] })).toEqual([
    { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", timeUnixNano: 5n, text: "hello\n", attributes: { "stdio.stream": 1n } },
  ]);
});
