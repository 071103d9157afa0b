import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { openHttp2Connection } from "../http2/connection.ts";
import { STREAM_KINDS, streamPair } from "../stream-pair.fixture.ts";
import { openGrpcStream, type GrpcStream } from "./client-stream.ts";
import { serveGrpc } from "./server.ts";
import type { GrpcCall } from "./serve-call.ts";

const KILLERS = ["client stream", "server stream", "client session", "server session", "cancel", "abort"] as const;

describe("whatever dies at whatever moment, nothing hangs", () => {
  test.each(STREAM_KINDS)("over a %s", async (kind) => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...KILLERS), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 2_000, max: 400_000 }), async (killer, turns, size) => {
        const [left, right] = await streamPair(kind);
        const calls: { readonly call: GrpcCall; readonly over: Promise<unknown> }[] = [];
        const tracked = (handler: (call: GrpcCall) => Promise<void>) => (call: GrpcCall) => {
          const over = handler(call);
          calls.push({ call, over: over.catch(() => {}) });
          return over;
        };
        const server = serveGrpc(right, {
          "/t/Echo": tracked(async (call) => {
            for await (const message of call.messages) await call.send(message);
          }),
          "/t/Pour": tracked(async (call) => {
            for (;;) await call.send(Buffer.alloc(size));
          }),
          "/t/Wait": tracked((call) => new Promise((_, reject) => call.signal.addEventListener("abort", () => reject(call.signal.reason)))),
        });
        const controller = new AbortController();
        const connection = openHttp2Connection(left);
        const streams = ["/t/Echo", "/t/Pour", "/t/Wait"].map((path) => openGrpcStream(connection, path, { signal: controller.signal }));
        const work = [pour(streams[0] as GrpcStream, size), ...streams.map(drain)];

        for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
        if (killer === "client stream") left.destroy();
        else if (killer === "server stream") right.destroy();
        else if (killer === "client session") connection.destroy();
        else if (killer === "server session") server.destroy();
        else if (killer === "cancel") for (const stream of streams) stream.cancel();
        else controller.abort();

        const ends = await Promise.allSettled(work);
        expect(ends.every((end) => end.status === "rejected")).toBe(true);
        connection.destroy();
        await connection.closed;
        await server.closed;
        await Promise.all(calls.map(({ over }) => over));
        for (const { call } of calls) expect(call.signal.aborted).toBe(true);
        await expect(async () => openGrpcStream(connection, "/t/Echo")).rejects.toMatchObject({ code: "CONNECTION_LOST" });
      }),
      { numRuns: 30 },
    );
  });
});

async function pour(stream: GrpcStream, size: number): Promise<never> {
  for (;;) await stream.send(Buffer.alloc(size));
}

async function drain(stream: GrpcStream): Promise<void> {
  for await (const _ of stream.messages);
}
