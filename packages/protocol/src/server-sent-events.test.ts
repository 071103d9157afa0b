import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { duplexPair } from "./duplex-pair.ts";
import { openHttp2Connection } from "./http2/connection.ts";
import { recordedChunks } from "./recordings.fixture.ts";
import { readServerSentEvents, type ServerSentEvent } from "./server-sent-events.ts";

async function* pieces(bytes: Buffer, cuts: readonly number[] = [bytes.length]): AsyncGenerator<Buffer> {
  for (let offset = 0, i = 0; offset < bytes.length; i++) {
    const size = cuts[i % cuts.length] ?? bytes.length;
    yield bytes.subarray(offset, offset + size);
    offset += size;
  }
}

async function events(text: string, options: { readonly cuts?: readonly number[]; readonly limitBytes?: number } = {}): Promise<ServerSentEvent[]> {
  const all: ServerSentEvent[] = [];
  for await (const event of readServerSentEvents(pieces(Buffer.from(text), options.cuts), options)) all.push(event);
  return all;
}

describe("readServerSentEvents", () => {
  test("the engine's first event", async () => {
    expect(await events(Buffer.from("69643a200a6576656e743a20737562736372696265640a646174610a0a", "hex").toString())).toEqual([
      { id: "", event: "subscribed", data: "" },
    ]);
  });

  test.each([
    ["several data lines", "data: a\ndata: b\n\n", [{ id: "", event: "message", data: "a\nb" }]],
    [
      "the id stays, the name does not",
      "id: 7\nevent: spans\ndata: x\n\ndata: y\n\n",
      [
        { id: "7", event: "spans", data: "x" },
        { id: "7", event: "message", data: "y" },
      ],
    ],
    ["CRLF", "event: logs\r\ndata: {}\r\n\r\n", [{ id: "", event: "logs", data: "{}" }]],
    ["comments, unknown fields, no data", ": hello\nretry: 5\nevent: x\n\nfoo\ndata:no space\n\n", [{ id: "", event: "message", data: "no space" }]],
    ["an event that is cut off", "data: whole\n\ndata: half\n", [{ id: "", event: "message", data: "whole" }]],
  ])("%s", async (_, text, expected) => expect(await events(text)).toEqual(expected));

  test("wherever the stream is cut, UTF-8 included", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/[\r\n]/g, " ")),
          { maxLength: 5 },
        ),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (texts, cuts) => {
          const stream = texts.map((text, i) => `id: ${i}\nevent: logs\ndata: ${text}\n\n`).join("");
          expect(await events(stream, { cuts })).toEqual(texts.map((data, i) => ({ id: String(i), event: "logs", data })));
        },
      ),
    );
  });

  test("a line of several megabytes in small pieces", async () => {
    const [event] = await events(`data: ${"x".repeat(5_000_000)}\n\n`, { cuts: [4096] });
    expect(event?.data.length).toBe(5_000_000);
  });

  test("fails above its limit, in one line or in many", async () => {
    await expect(events(`data: ${"x".repeat(2_000)}`, { limitBytes: 1_000, cuts: [100] })).rejects.toThrow("longer than 1000 bytes");
    await expect(events("data: xxxxxxxx\n".repeat(200), { limitBytes: 1_000 })).rejects.toThrow("longer than 1000 bytes");
    expect(await events("data: xxxxxxxx\n\n".repeat(200), { limitBytes: 1_000 })).toHaveLength(200);
  });

  test("the recorded telemetry of an exec, through our HTTP/2 client", async () => {
    const [client, far] = duplexPair();
    far.resume();
    const connection = openHttp2Connection(client);
    const streams = ["/v1/traces", "/v1/logs", "/v1/metrics"].map((path) => connection.request({ path }));
    for (const { from, bytes } of recordedChunks("exec", "conn3")) {
      // An answer before its question would be a breach of the protocol.
      await new Promise(setImmediate);
      if (from === "engine") far.write(bytes);
    }
    const read = await Promise.all(
      streams.map(async (stream) => {
        const { status, headers, body } = await stream;
        expect([status, headers["content-type"]]).toEqual([200, "text/event-stream"]);
        const all: ServerSentEvent[] = [];
        for await (const event of readServerSentEvents(body)) all.push(event);
        return all;
      }),
    );
    for (const all of read) expect(all[0]).toEqual({ id: "", event: "subscribed", data: "" });
    expect(read.map((all) => [...new Set(all.slice(1).map(({ event }) => event))])).toEqual([["spans"], ["logs"], expect.any(Array)]);
    for (const event of read.flat().filter(({ data }) => data !== "")) expect(JSON.parse(event.data)).toBeTypeOf("object");
    connection.destroy();
  });
});
