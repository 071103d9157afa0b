import * as fc from "fast-check";
import { expect, test } from "vitest";

import { duplexPair } from "../duplex-pair.ts";
import { PREFACE, startsWithHttp2 } from "./preface.ts";

async function judge(pieces: readonly Uint8Array[], then?: "end"): Promise<{ readonly verdict: boolean | string; readonly left: Buffer }> {
  const [client, server] = duplexPair();
  const judged = startsWithHttp2(server).catch((error: unknown) => (error as Error).message);
  for (const piece of pieces) {
    client.write(piece);
    await new Promise(setImmediate);
  }
  if (then === "end") client.end();
  const verdict = await judged;
  client.end();
  const chunks: Buffer[] = [];
  for await (const chunk of server) chunks.push(chunk as Buffer);
  return { verdict, left: Buffer.concat(chunks) };
}

test("the preface in whatever pieces is HTTP/2, everything else is not, and all bytes stay (property)", async () => {
  const cut = (bytes: Buffer, at: readonly number[]) => {
    const places = [0, ...at.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
    return places
      .slice(1)
      .map((place, i) => bytes.subarray(places[i], place))
      .filter(({ length }) => length > 0);
  };
  const beginning = fc.oneof(
    fc.constant(PREFACE),
    fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(fc.nat(PREFACE.length - 1), fc.integer({ min: 1, max: 255 })).map(([place, change]) => {
      const bytes = Buffer.from(PREFACE);
      bytes[place] = (bytes[place] as number) ^ change;
      return bytes;
    }),
  );
  await fc.assert(
    fc.asyncProperty(beginning, fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat(100), { maxLength: 5 }), async (start, rest, places) => {
      const bytes = Buffer.concat([start, rest]);
      const { verdict, left } = await judge(cut(bytes, places), "end");
      const isHttp2 = bytes.subarray(0, PREFACE.length).equals(PREFACE);
      const isUndecided = bytes.length < PREFACE.length && PREFACE.subarray(0, bytes.length).equals(bytes);
      expect(verdict).toBe(isUndecided ? "the stream ended too early" : isHttp2);
      if (!isUndecided) expect(left.equals(bytes)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test("a client that says nothing, or half a preface, is told apart from none", async () => {
  expect((await judge([], "end")).verdict).toBe("the stream ended too early");
  expect((await judge([PREFACE.subarray(0, 10)], "end")).verdict).toBe("the stream ended too early");
});
