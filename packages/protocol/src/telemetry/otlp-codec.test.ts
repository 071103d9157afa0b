import fc from "fast-check";
import { expect, test } from "vitest";

import { loadOtlpCodec, TELEMETRY_SIGNALS } from "./otlp-codec.ts";
import { toBase64Ids, toHexIds } from "./otlp-ids.ts";

const codec = await loadOtlpCodec();

const id = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => Buffer.from(value).toString("base64"));
const nanoseconds = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n }).map(String);
const text = fc.string({ minLength: 1, unit: "grapheme" });
const value = fc.oneof(
  text.map((stringValue) => ({ stringValue })),
  fc.boolean().map((boolValue) => ({ boolValue })),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map((number) => ({ intValue: String(number) })),
  fc.uint8Array({ minLength: 1 }).map((bytes) => ({ bytesValue: Buffer.from(bytes).toString("base64") })),
  fc
    .array(
      text.map((stringValue) => ({ stringValue })),
      { minLength: 1 },
    )
    .map((values) => ({ arrayValue: { values } })),
);
const attributes = fc.array(fc.record({ key: text, value }), { minLength: 1, maxLength: 4 });
const span = fc.record({
  traceId: id(16),
  spanId: id(8),
  parentSpanId: id(8),
  name: text,
  kind: fc.constantFrom("SPAN_KIND_INTERNAL", "SPAN_KIND_CLIENT"),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes,
});
const request = fc.array(span, { minLength: 1, maxLength: 4 }).map((spans) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));

test("a request keeps everything on its way through protobuf (property)", () => {
  fc.assert(
    fc.property(request, (sent) => {
      expect(codec.decode("traces", codec.encode("traces", sent))).toEqual(sent);
    }),
  );
});

test("ids are hexadecimal in OTLP's own JSON, and the same again in protobuf's (property)", () => {
  fc.assert(
    fc.property(request, (sent) => {
      const line = codec.toOtlpJson("traces", sent);
      expect(line).not.toContain("\n");
      for (const [, name] of line.matchAll(/"(?:traceId|spanId|parentSpanId)":"([^"]*)"/g)) expect(name).toMatch(/^([0-9a-f]{16}|[0-9a-f]{32})$/);
      expect(codec.decode("traces", codec.encode("traces", toBase64Ids(JSON.parse(line))))).toEqual(sent);
      expect(toBase64Ids(toHexIds(sent))).toEqual(sent);
    }),
  );
});

test("whatever bytes come, they are a request or refused with a reason; what was read can be written (property)", () => {
  fc.assert(
    fc.property(fc.constantFrom(...TELEMETRY_SIGNALS), fc.uint8Array({ maxLength: 64 }), (signal, bytes) => {
      const read = attempt(() => codec.decode(signal, bytes));
      if (read !== undefined) codec.encode(signal, read);
    }),
    { numRuns: 1000 },
  );
});

test("a request of which bytes were changed or cut off is a request or refused with a reason (property)", () => {
  fc.assert(
    fc.property(request, fc.nat(), fc.nat(255), fc.boolean(), (sent, at, byte, cut) => {
      const bytes = codec.encode("traces", sent);
      const place = at % bytes.length;
      bytes[place] = byte;
      attempt(() => codec.decode("traces", cut ? bytes.subarray(0, place) : bytes));
    }),
  );
});

test("whatever JSON comes, it is a request or refused with a reason (property)", () => {
  const shaped = fc.record({ resourceSpans: fc.oneof(fc.array(fc.record({ scopeSpans: fc.jsonValue() })), fc.jsonValue()) }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.constantFrom(...TELEMETRY_SIGNALS), fc.oneof(shaped, fc.jsonValue()), (signal, json) => {
      const bytes = attempt(() => codec.encode(signal, toBase64Ids(json)));
      if (bytes !== undefined) codec.decode(signal, bytes);
    }),
  );
});

test("a value deeper than the stack is refused, and not the end of the process", () => {
  const depth = 200_000;
  const deep = JSON.parse(`{"resourceSpans":${"[".repeat(depth)}${"]".repeat(depth)}}`) as unknown;
  expect(() => codec.encode("traces", toBase64Ids(deep))).toThrow(RangeError);
});

/** What `work` gives; undefined when it is refused. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).not.toBe("");
    return undefined;
  }
}
