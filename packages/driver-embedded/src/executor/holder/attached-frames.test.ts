import { describe, expect, test } from "vitest";

import { readAttachedFrames } from "./attached-frames.ts";

describe("readAttachedFrames", () => {
  test("tells the streams apart wherever the connection is cut", async () => {
    const bytes = Buffer.concat([frame(1, "out"), frame(2, ""), frame(2, "error"), frame(1, "x".repeat(300))]);
    for (let size = 1; size <= 20; size++) {
      const text = { stdout: "", stderr: "" };
      for await (const { stream, data } of readAttachedFrames(pieces(bytes, size))) text[stream] += data.toString();
      expect(text).toEqual({ stdout: `out${"x".repeat(300)}`, stderr: "error" });
    }
  });

  test("passes a long frame on in parts", async () => {
    const parts: number[] = [];
    for await (const { data } of readAttachedFrames(pieces(frame(1, "y".repeat(1000)), 100))) parts.push(data.length);
    expect(parts).toEqual([92, 100, 100, 100, 100, 100, 100, 100, 100, 100, 8]);
  });
});

function frame(type: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = type;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
