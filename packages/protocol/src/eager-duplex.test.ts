import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";

import { describe, expect, test } from "vitest";

import { duplexPair } from "./duplex-pair.ts";
import { eagerDuplex } from "./eager-duplex.ts";

/** A stream whose writes are acknowledged only when told. */
function stubborn() {
  const waiting: (() => void)[] = [];
  const inner = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => void waiting.push(callback) });
  return { inner, acknowledge: () => waiting.shift()?.() };
}

describe("eagerDuplex", () => {
  test("acknowledges a write that the relay has not taken", async () => {
    const { inner } = stubborn();
    const eager = eagerDuplex(inner);
    for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => eager.write("x", () => resolve()));
    expect(inner.writableLength).toBe(3);
  });

  test("waits above its limit", async () => {
    const { inner, acknowledge } = stubborn();
    const eager = eagerDuplex(inner, { limitBytes: 10 });
    let acknowledged = 0;
    for (let i = 0; i < 4; i++) {
      eager.write(Buffer.alloc(8), () => acknowledged++);
      await new Promise(setImmediate);
    }
    expect(acknowledged).toBe(2);
    for (let i = 0; i < 4; i++) {
      acknowledge();
      await new Promise(setImmediate);
    }
    expect(acknowledged).toBe(4);
  });

  test("carries bytes both ways, half-closes, and reads on", async () => {
    const [near, far] = duplexPair();
    const eager = eagerDuplex(near);
    eager.end("question");
    expect(await text(far)).toBe("question");
    far.end("answer");
    expect(await text(eager)).toBe("answer");
  });

  test("reads no faster than its reader", async () => {
    const [near, far] = duplexPair();
    const eager = eagerDuplex(near);
    for (let i = 0; i < 100; i++) far.write(Buffer.alloc(64 * 1024));
    await new Promise(setImmediate);
    expect(eager.readableLength).toBeLessThan(512 * 1024);
    far.end();
    let bytes = 0;
    for await (const chunk of eager) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(100 * 64 * 1024);
  });

  test("dies with the relay, and the relay with it", async () => {
    const [near, far] = duplexPair();
    const eager = eagerDuplex(near);
    const failed = new Promise((resolve) => eager.once("error", resolve));
    near.destroy(new Error("broken pipe"));
    expect(await failed).toMatchObject({ message: "broken pipe" });
    far.destroy();

    const [inner] = duplexPair();
    eagerDuplex(inner).destroy();
    expect(inner.destroyed).toBe(true);
  });

  test("a relay that ends both ways closes it", async () => {
    const [near, far] = duplexPair();
    const eager = eagerDuplex(near);
    far.end("bye");
    far.resume();
    expect(await text(eager)).toBe("bye");
    eager.end();
    await new Promise((resolve) => (eager.closed ? resolve(undefined) : eager.once("close", resolve)));
    expect(eager.destroyed).toBe(true);
  });

  test("passes ref and unref on", () => {
    const calls: string[] = [];
    const inner = Object.assign(new Duplex({ read() {} }), { ref: () => calls.push("ref"), unref: () => calls.push("unref") });
    const eager = eagerDuplex(inner) as Duplex & { ref(): void; unref(): void };
    eager.unref();
    eager.ref();
    expect(calls).toEqual(["unref", "ref"]);
  });
});
