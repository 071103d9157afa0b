import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBytesMessage, encodeBytesMessage } from "./bytes-message.ts";

test("no bytes are an empty message", () => {
  expect(Buffer.concat(encodeBytesMessage(new Uint8Array())).length).toBe(0);
  expect(decodeBytesMessage(new Uint8Array()).length).toBe(0);
});

test("bytes survive the way there and back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
      const message = Buffer.concat(encodeBytesMessage(bytes));
      expect(Buffer.compare(decodeBytesMessage(message), bytes)).toBe(0);
    }),
  );
});

test("the content is not copied when it is sent", () => {
  const content = Buffer.alloc(1024);
  expect(encodeBytesMessage(content).at(-1)).toBe(content);
});

test("another message is refused as malformed", () => {
  expect(() => decodeBytesMessage(Buffer.from("0801", "hex"))).toThrow(expect.objectContaining({ reason: "malformed" }));
});
