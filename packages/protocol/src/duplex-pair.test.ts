import { text } from "node:stream/consumers";

import { describe, expect, test } from "vitest";

import { duplexPair } from "./duplex-pair.ts";

describe("duplexPair", () => {
  test("carries bytes both ways and half-closes", async () => {
    const [left, right] = duplexPair();
    left.end("from left");
    expect(await text(right)).toBe("from left");
    right.end("from right");
    expect(await text(left)).toBe("from right");
  });

  test("destroying one end ends the other, after what was written", async () => {
    const [left, right] = duplexPair();
    left.write("last words");
    left.destroy();
    expect(await text(right)).toBe("last words");
    await new Promise((resolve) => (right.destroyed ? resolve(undefined) : right.once("close", resolve)));
    expect(right.destroyed).toBe(true);
  });

  test("acknowledges writes that nobody has read, but not without bound", async () => {
    const [left] = duplexPair();
    let acknowledged = 0;
    for (let i = 0; i < 40; i++) left.write(Buffer.alloc(1024 * 1024), () => acknowledged++);
    await new Promise(setImmediate);
    expect(acknowledged).toBeGreaterThanOrEqual(2);
    expect(acknowledged).toBeLessThan(5);
  });
});
