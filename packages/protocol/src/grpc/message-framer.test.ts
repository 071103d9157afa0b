import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createMessageFramer, messageHeader } from "./message-framer.ts";
import { GrpcStatus } from "./status.ts";

const frame = (message: Uint8Array) => Buffer.concat([messageHeader(message.length), message]);

describe("createMessageFramer", () => {
  test("frames an empty message and one of the vectors", () => {
    expect(frame(Buffer.alloc(0)).toString("hex")).toBe("0000000000");
    expect(frame(Buffer.from("08042204626f6f6d", "hex")).toString("hex")).toBe("000000000808042204626f6f6d");
  });

  test("gives back every message, wherever the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }),
        (messages, cuts) => {
          const framer = createMessageFramer();
          const stream = Buffer.concat(messages.map(frame));
          const received: Buffer[] = [];
          for (let offset = 0, i = 0; offset < stream.length; i++) {
            const size = cuts[i % cuts.length] as number;
            received.push(...framer.push(stream.subarray(offset, offset + size)));
            offset += size;
          }
          expect(received.map((message) => message.toString("hex"))).toEqual(messages.map((message) => Buffer.from(message).toString("hex")));
          expect(framer.partial).toBe(false);
        },
      ),
    );
  });

  test("a message inside one chunk is a view of it", () => {
    const chunk = frame(Buffer.from("abc"));
    const [message] = createMessageFramer().push(chunk);
    expect(message?.buffer).toBe(chunk.buffer);
  });

  test("a large message in small pieces is copied once", () => {
    const framer = createMessageFramer();
    const whole = frame(Buffer.alloc(4 * 1024 * 1024, 7));
    let copied = 0;
    const concat = Buffer.concat;
    Buffer.concat = (list, total) => {
      const result = concat(list, total);
      copied += result.length;
      return result;
    };
    try {
      for (let offset = 0; offset < whole.length; offset += 1024) framer.push(whole.subarray(offset, offset + 1024));
    } finally {
      Buffer.concat = concat;
    }
    expect(copied).toBeLessThan(whole.length * 1.1);
  });

  test("knows that a message is incomplete", () => {
    const framer = createMessageFramer();
    framer.push(Buffer.from("000000000561", "hex"));
    expect(framer.partial).toBe(true);
  });

  test("refuses a message above the limit as soon as its header is there", () => {
    expect(() => createMessageFramer().push(messageHeader(16 * 1024 * 1024 + 1))).toThrow(expect.objectContaining({ status: GrpcStatus.RESOURCE_EXHAUSTED }));
    expect(createMessageFramer().push(messageHeader(16 * 1024 * 1024))).toEqual([]);
  });

  test("refuses compression that nobody agreed to", () => {
    expect(() => createMessageFramer().push(Buffer.from("0100000000", "hex"))).toThrow(expect.objectContaining({ status: GrpcStatus.INTERNAL }));
  });
});
