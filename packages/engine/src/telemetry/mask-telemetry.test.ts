import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { emitBatch, type TelemetryBatch } from "./batch.ts";
import { createTelemetryMask } from "./mask-telemetry.ts";

const span = (more: Readonly<Record<string, unknown>>): TelemetryBatch => ({
  signal: "traces",
  request: { resourceSpans: [{ scopeSpans: [{ spans: [more] }] }] },
});
const log = (text: string): TelemetryBatch => ({
  signal: "logs",
  request: { resourceLogs: [{ scopeLogs: [{ logRecords: [{ traceId: "hunter22", timeUnixNano: "1234567", body: { stringValue: text } }] }] }] },
});
const maskOf = (...values: readonly string[]) => {
  const mask = createTelemetryMask();
  for (const value of values) mask.add(value);
  return mask;
};

describe("a value that is known", () => {
  test("is hidden in names, attributes, states and logs; ids, times and keys stay", () => {
    const { mask } = maskOf("hunter22", "1234567", "service.name");
    expect(mask(log("a hunter22 b"))).toEqual(log("a *** b"));
    const attributes = (text: string) => [{ key: "service.name", value: { arrayValue: { values: [{ stringValue: text }] } } }];
    expect(mask(span({ spanId: "hunter22", name: "say hunter22", attributes: attributes("x1234567"), status: { message: "no hunter22" } }))).toEqual(
      span({ spanId: "hunter22", name: "say ***", attributes: attributes("x***"), status: { message: "no ***" } }),
    );
  });

  test("is hidden as a whole where another begins it, and line by line", () => {
    const { mask } = maskOf("hunt", "hunter22.*", "first line of it\n}\nsecond line of it\n");
    expect(mask(log("hunter22.* second line of it } hunt"))).toEqual(log("*** *** } ***"));
  });

  test("takes a call away in which it is", () => {
    const call = (text: string) => span({ attributes: [{ key: "dagger.io/dag.call", value: { stringValue: text } }] });
    const { mask } = maskOf("hunter22");
    expect(mask(call(Buffer.from("\n\u0004 hunter22").toString("base64")))).toEqual(call(""));
    const harmless = call(Buffer.from("harmless").toString("base64"));
    expect(mask(harmless)).toBe(harmless);
  });

  test("of three characters stands in too much", () => {
    const batch = log("abc");
    expect(maskOf("abc", "").mask(batch)).toBe(batch);
  });
});

test("no value of four characters or more is left in a text (property)", () => {
  const value = fc.string({ unit: "grapheme", minLength: 4, maxLength: 12 }).filter((text) => text.trim().length >= 4 && !text.includes("*"));
  fc.assert(
    fc.property(value, fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (secret, before, after) => {
      let text = "";
      emitBatch(maskOf(secret).mask(log(`${before}${secret}${after}`)), (event) => {
        if (event.type === "log") ({ text } = event.log);
      });
      expect(text.includes(secret.trim())).toBe(false);
    }),
  );
});
