import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createDemultiplexer } from "./demultiplex.ts";

describe("demultiplexer", () => {
  test("gives each stream its bytes in order, wherever the input is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ kind: fc.constantFrom(0, 1, 2, 3), payload: fc.uint8Array({ maxLength: 300 }) }), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 }),
        (frames, cuts) => {
          const received = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
          const demultiplexer = createDemultiplexer({ stdout: (chunk) => received.stdout.push(chunk), stderr: (chunk) => received.stderr.push(chunk) });
          for (const piece of cutUp(Buffer.concat(frames.map(({ kind, payload }) => frame(kind, payload))), cuts)) demultiplexer.push(piece);

          const sent = (kinds: readonly number[]) =>
            Buffer.concat(frames.filter(({ kind }) => kinds.includes(kind)).map(({ payload }) => Buffer.from(payload)));
          expect(Buffer.concat(received.stdout)).toEqual(sent([0, 1]));
          expect(Buffer.concat(received.stderr)).toEqual(sent([2, 3]));
          expect(demultiplexer.complete).toBe(true);
        },
      ),
    );
  });

  test.each([
    ["in the header", 3],
    ["behind the header", 8],
    ["in the payload", 10],
  ])("a stream that ends %s is not complete", (_where, length) => {
    const demultiplexer = createDemultiplexer({ stdout: () => undefined, stderr: () => undefined });
    demultiplexer.push(frame(1, Buffer.from("hello")).subarray(0, length));
    expect(demultiplexer.complete).toBe(false);
  });

  test.each([
    ["HTTP", Buffer.from("HTTP/1.1 200 OK")],
    ["an unknown stream", frame(4, Buffer.from("x"))],
    ["padding that isn't zero", Buffer.from([1, 0, 1, 0, 0, 0, 0, 1, 65])],
  ])("%s is refused", (_name, bytes) => {
    const demultiplexer = createDemultiplexer({ stdout: () => undefined, stderr: () => undefined });
    expect(() => demultiplexer.push(bytes)).toThrow(expect.objectContaining({ code: "WRONG_SERVER" }));
  });

  test("payload is passed on as views, not copied", () => {
    const bytes = frame(1, Buffer.alloc(1000, 7));
    const chunks: Buffer[] = [];
    createDemultiplexer({ stdout: (chunk) => chunks.push(chunk), stderr: () => undefined }).push(bytes);
    expect(chunks.map((chunk) => chunk.buffer === bytes.buffer)).toEqual([true]);
  });
});

function frame(kind: number, payload: Uint8Array): Buffer {
  const header = Buffer.from([kind, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function* cutUp(bytes: Buffer, cuts: readonly number[]): Generator<Buffer> {
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const end = start + (cuts[turn % cuts.length] ?? 1);
    yield bytes.subarray(start, end);
    start = end;
  }
}
