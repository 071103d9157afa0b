import { once } from "node:events";
import { buffer, text } from "node:stream/consumers";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { duplexPair } from "../duplex-pair.ts";
import { STREAM_KINDS, streamPair } from "../stream-pair.fixture.ts";
import { splice } from "./splice.ts";

describe.each(STREAM_KINDS)("a %s", (kind) => {
  test("carries both ways, and ends of one side only", async () => {
    const [client, near] = await streamPair("pair");
    const [far, server] = await streamPair(kind);
    const end = splice(near, far, { halfClose: true });
    client.end("ping");
    // Only the half-closed side of a plain TCP server stays open by itself.
    expect(await new Promise((resolve) => server.once("data", resolve))).toEqual(Buffer.from("ping"));
    server.end("pong");
    expect(await text(client)).toBe("pong");
    expect(await end).toMatchObject({ bytesToFar: 4, bytesToNear: 4 });
  });

  test("whose far end breaks takes the near one along", async () => {
    const [client, near] = await streamPair("pair");
    const [far, server] = await streamPair(kind);
    const end = splice(near, far, { halfClose: true });
    const closed = once(client, "close");
    client.once("end", () => client.end()).resume();
    server.destroy();
    await Promise.all([end, closed]);
    expect([near.destroyed, far.destroyed]).toEqual([true, true]);
  });
});

test("where the far side can't half-close, the end of the near one ends it", async () => {
  const [client, near] = duplexPair();
  const [far, server] = duplexPair();
  const end = splice(near, far, { halfClose: false });
  client.end();
  server.resume();
  await Promise.all([end, once(server, "close")]);
  expect(far.destroyed).toBe(true);
});

test("a side that stays silent after the other has ended is given up", async () => {
  const [client, near] = duplexPair();
  const [far, server] = duplexPair();
  client.end();
  server.resume();
  expect(await splice(near, far, { halfClose: true, lingerMs: 1 })).toEqual({ bytesToFar: 0, bytesToNear: 0, error: undefined });
  expect([near.destroyed, far.destroyed]).toEqual([true, true]);
});

test("a reader that stands still stops the writer", async () => {
  const [client, near] = duplexPair();
  const [far] = duplexPair();
  const end = splice(near, far, { halfClose: true });
  const chunk = Buffer.alloc(64 * 1024);
  client.on("error", () => {});
  let taken = 0;
  for (let i = 0; i < 1000; i++) client.write(chunk, (error) => (taken += error ? 0 : chunk.length));
  for (let turn = 0; turn < 2000; turn++) await new Promise(setImmediate);
  // What lies in the two pairs, of 64 MB.
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(10 * 1024 * 1024);
  far.destroy();
  await end;
});

test("whatever is sent in whatever pieces arrives, in order (property)", async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(pieces, pieces, async (up, down) => {
      const [client, near] = duplexPair();
      const [far, server] = duplexPair();
      const end = splice(near, far, { halfClose: true });
      for (const piece of up) client.write(piece);
      for (const piece of down) server.write(piece);
      client.end();
      server.end();
      const [atServer, atClient] = await Promise.all([buffer(server), buffer(client)]);
      expect([atServer.equals(Buffer.concat(up)), atClient.equals(Buffer.concat(down))]).toEqual([true, true]);
      expect((await end).error).toBeUndefined();
    }),
    { numRuns: 100 },
  );
});
