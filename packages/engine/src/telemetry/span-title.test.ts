import { Buffer } from "node:buffer";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Span } from "./records.ts";
import { createSpanTitle } from "./span-title.ts";

const span = (name: string, call?: Uint8Array | string): Span => ({
  traceId: "t",
  spanId: "s",
  parentSpanId: undefined,
  name,
  startTimeUnixNano: 0n,
  endTimeUnixNano: undefined,
  attributes: call === undefined ? {} : { "dagger.io/dag.call": typeof call === "string" ? call : Buffer.from(call).toString("base64") },
  failed: false,
  statusMessage: "",
  continues: [],
});

/** A field of protobuf: text, bytes, or a small number. */
function field(number: number, value: string | Uint8Array | number): Buffer {
  if (typeof value === "number") return Buffer.from([number << 3, value]);
  const bytes = Buffer.from(value as string);
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}
const text = (value: string) => field(7, value);
const argument = (name: string, literal: Uint8Array) => field(4, Buffer.concat([field(1, name), field(2, literal)]));
const list = (...values: readonly Uint8Array[]) => field(8, Buffer.concat(values.map((value) => field(1, value))));
const call = (name: string, ...args: readonly Uint8Array[]) => Buffer.concat([field(3, name), ...args]);

describe("a call", () => {
  test.each([
    ["Container.withExec", call("withExec", argument("args", list(text("echo"), text("hi")))), 'Container.withExec(args: ["echo", "hi"])'],
    ["Query.container", call("container"), "container"],
    ["Query.setSecret", call("setSecret", argument("name", text("s1")), argument("plaintext", text("hunter22"))), 'setSecret(name: "s1", plaintext: "***")'],
    ["Query.secret", call("secret", argument("uri", text("cmd://echo hunter22"))), 'secret(uri: "cmd://***")'],
    ["Query.secret", call("secret", argument("uri", text("env://TOKEN"))), 'secret(uri: "env://TOKEN")'],
    ["Query.x", call("x", argument("a", field(3, 1)), argument("b", field(5, 7)), argument("c", field(2, 1))), "x(a: true, b: 7, c: null)"],
    ["Query.x", call("x", argument("o", field(9, field(1, Buffer.concat([field(1, "apiToken"), field(2, text("hunter22"))]))))), 'x(o: {apiToken: "***"})'],
    ["Query.x", call("x", argument("t", text("a\nb"))), String.raw`x(t: "a\nb")`],
    ["Query.x", call("x", argument("t", text("y".repeat(100)))), `x(t: "${"y".repeat(59)}…")`],
    ["Query.x", call("x", argument("l", list(...Array.from({ length: 14 }, () => field(5, 1))))), `x(l: [${"1, ".repeat(12)}…])`],
  ])("%s with arguments", async (name, encoded, title) => {
    expect((await createSpanTitle())(span(name, encoded))).toBe(title);
  });

  test("shows an object by its type, once the call that made it was seen", async () => {
    const title = await createSpanTitle();
    const uses = span("Container.withSecretVariable", call("withSecretVariable", argument("secret", field(1, "xxh3:1"))));
    expect(title(uses)).toBe("Container.withSecretVariable(secret: …)");
    title(span("Query.secret", Buffer.concat([field(2, field(1, "Secret")), call("secret"), field(9, "xxh3:1")])));
    expect(title(uses)).toBe("Container.withSecretVariable(secret: Secret)");
  });
});

test.each([
  ["no call", undefined],
  ["what is no call", "####"],
  ["an empty call", ""],
] as const)("%s leaves the name", async (_, encoded) => {
  expect((await createSpanTitle())(span("exec sh", encoded))).toBe("exec sh");
});

test("anything that stands for a call gives a title that ends (property)", async () => {
  const title = await createSpanTitle();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(title(span("name", bytes)).length).toBeLessThan(300);
    }),
  );
});
