import { once } from "node:events";
import { constants, sensitiveHeaders, type ClientHttp2Stream, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { buffer, text } from "node:stream/consumers";

import { afterEach, describe, expect, test } from "vitest";

import { resetStream } from "../http2/reset-stream.ts";
import { createTestRelay, type TestRelay } from "./test-relay.ts";

let relay: TestRelay;
afterEach(() => relay.close());

const closes = new WeakMap<ClientHttp2Stream, Promise<void>>();

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[], connection: number) => unknown;

async function start(handler: Handler): Promise<void> {
  relay = await createTestRelay((session, index) => {
    session.on("stream", (stream, headers, _flags, rawHeaders) => {
      stream.on("error", () => {});
      handler(stream, headers, rawHeaders, index);
    });
  });
}

function send(headers: OutgoingHttpHeaders = {}, options: { readonly endStream?: boolean; readonly waitForTrailers?: boolean } = {}): ClientHttp2Stream {
  const stream = relay.client.request({ ":method": "POST", ":path": "/query", ...headers }, options);
  stream.on("error", () => {});
  closes.set(stream, new Promise((resolve) => stream.once("close", () => resolve())));
  return stream;
}

async function head(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return ((await once(stream, "response")) as [IncomingHttpHeaders])[0];
}

async function closed(stream: ClientHttp2Stream): Promise<void> {
  await closes.get(stream);
}

test("head, body and trailers go both ways; repeated headers stay apart, secret ones marked", async () => {
  const { promise: seen, resolve } = Promise.withResolvers<unknown>();
  await start((stream, headers, rawHeaders) => {
    const mine = rawHeaders.flatMap((value, i) => (rawHeaders[i - 1] === "x-mine" ? [value] : []));
    stream.once("trailers", (trailers: IncomingHttpHeaders) =>
      resolve({ mine, secret: (headers as { [sensitiveHeaders]?: string[] })[sensitiveHeaders], late: trailers["x-late"] }),
    );
    stream.respond({ ":status": 201, "x-answer": ["1", "2"] }, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "5" }));
    stream.pipe(stream);
  });
  const stream = send({ "x-mine": ["a", "b"], "x-secret": "s", [sensitiveHeaders]: ["x-secret"] }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "x-late": "l" }));
  stream.end("body");
  const trailers = once(stream, "trailers") as Promise<[IncomingHttpHeaders]>;
  expect(await head(stream)).toMatchObject({ ":status": 201, "x-answer": "1, 2" });
  expect(await text(stream)).toBe("body");
  expect((await trailers)[0]).toMatchObject({ "grpc-status": "5" });
  expect(await seen).toEqual({ mine: ["a", "b"], secret: ["x-secret"], late: "l" });
});

test.each([
  ["HEAD", 200],
  ["GET", 204],
])("%s with status %i has no body and ends", async (method, status) => {
  await start((stream) => stream.respond({ ":status": status }, { endStream: true }));
  const stream = send({ ":method": method }, { endStream: true });
  expect((await head(stream))[":status"]).toBe(status);
  expect(await text(stream)).toBe("");
});

test("an answer in the head alone, and one that is announced by a provisional one", async () => {
  await start((stream) => {
    stream.additionalHeaders({ ":status": 103, link: "</a>" });
    stream.respond({ ":status": 200, "grpc-status": "12" }, { endStream: true });
  });
  const stream = send({}, { endStream: true });
  const early = once(stream, "headers") as Promise<[IncomingHttpHeaders]>;
  expect(await head(stream)).toMatchObject({ ":status": 200, "grpc-status": "12" });
  expect((await early)[0]).toMatchObject({ ":status": 103, link: "</a>" });
});

test("messages pass one by one, while neither side has ended", async () => {
  await start((stream) => {
    stream.respond({ ":status": 200 });
    stream.on("data", (chunk: Buffer) => stream.write(`<${chunk.toString()}>`));
    stream.once("end", () => stream.end());
  });
  const stream = send();
  for (const word of ["a", "b"]) {
    stream.write(word);
    expect(String((await once(stream, "data"))[0])).toBe(`<${word}>`);
  }
  stream.end();
  await closed(stream);
  expect(stream.rstCode).toBe(0);
});

describe("resets", () => {
  test("the client's reaches the upstream, with its code", async () => {
    const { promise: code, resolve } = Promise.withResolvers<number>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    await start((stream) => {
      stream.once("close", () => resolve(stream.rstCode));
      begin();
    });
    const stream = send();
    await begun;
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(await code).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await expect.poll(() => relay.claimCount()).toBe(0);
  });

  test.each([
    ["before the answer", false],
    ["in the middle of it", true],
  ])("the upstream's reaches the client, with its code, %s", async (_, answered) => {
    await start((stream) => {
      if (answered) stream.respond({ ":status": 200 });
      if (answered) stream.write("part");
      setImmediate(() => resetStream(stream, constants.NGHTTP2_INTERNAL_ERROR));
    });
    const stream = send({}, { endStream: true });
    stream.resume();
    await closed(stream);
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  });

  test("a client that leaves at once leaves nothing behind", async () => {
    await start(() => {});
    for (let i = 0; i < 50; i++) send().close(constants.NGHTTP2_CANCEL);
    await new Promise((resolve) => relay.client.ping(resolve));
    await expect.poll(() => relay.claimCount()).toBe(0);
  });

  test("an answer that doesn't wait for the rest of the request arrives whole", async () => {
    await start((stream) => {
      stream.respond({ ":status": 413 });
      stream.end("too long");
      stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
    });
    const stream = send();
    stream.write("beginning");
    expect([(await head(stream))[":status"], await text(stream)]).toEqual([413, "too long"]);
    stream.end(Buffer.alloc(100_000));
    await closed(stream);
    await expect.poll(() => relay.claimCount()).toBe(0);
  });
});

describe("back-pressure", () => {
  test("an upstream that doesn't read stops the client", async () => {
    await start((stream) => {
      stream.respond({ ":status": 200 });
    });
    const stream = send();
    let taken = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const write = () => {
      stream.write(chunk, (error) => {
        if (error) return;
        taken += chunk.length;
        if (taken < 16 * 1024 * 1024) write();
      });
    };
    write();
    await head(stream);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => relay.client.ping(resolve));
    // The windows of two streams and one queue: 1 MiB, 64 KiB, 256 KiB.
    expect(taken).toBeLessThan(2 * 1024 * 1024);
    expect(taken).toBeGreaterThan(64 * 1024);
    stream.close(constants.NGHTTP2_CANCEL);
  });

  test("a client that doesn't read stops the upstream, and gets everything when it does", async () => {
    let written = 0;
    const total = 16 * 1024 * 1024;
    await start(async (stream) => {
      stream.respond({ ":status": 200 });
      const chunk = Buffer.alloc(64 * 1024);
      for (let sent = 0; sent < total; sent += chunk.length) {
        if (!stream.write(chunk)) await once(stream, "drain");
        written += chunk.length;
      }
      stream.end();
    });
    const stream = send({}, { endStream: true });
    await head(stream);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => relay.client.ping(resolve));
    expect(written).toBeLessThan(4 * 1024 * 1024);
    expect((await buffer(stream)).length).toBe(total);
  });
});

describe("a request that was not processed", () => {
  const answerOf = (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 200 });
    stream.pipe(stream);
  };

  test("is sent again when it was refused, body and all", async () => {
    let count = 0;
    await start((stream) => {
      count += 1;
      if (count === 1) stream.once("data", () => stream.close(constants.NGHTTP2_REFUSED_STREAM));
      else answerOf(stream);
    });
    const stream = send();
    stream.write("one ");
    setImmediate(() => stream.end("two"));
    expect([(await head(stream))[":status"], await text(stream), count]).toEqual([200, "one two", 2]);
  });

  test("is not sent for ever", async () => {
    let count = 0;
    await start((stream) => {
      count += 1;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    const stream = send({}, { endStream: true });
    expect([(await head(stream))[":status"], count]).toEqual([503, 3]);
  });

  test("is sent on another connection when the first was leaving", async () => {
    const connections: number[] = [];
    await start((stream, _headers, _rawHeaders, connection) => {
      connections.push(connection);
      if (connections.length !== 2) return answerOf(stream);
      // Nothing behind the first stream was looked at.
      relay.upstreams[0]?.goaway(constants.NGHTTP2_NO_ERROR, 1);
    });
    expect((await head(send({}, { endStream: true })))[":status"]).toBe(200);
    const stream = send();
    stream.end("again");
    expect([(await head(stream))[":status"], await text(stream)]).toEqual([200, "again"]);
    expect(connections).toEqual([0, 0, 1]);
  });

  test("is not sent again when its body is not held any more", async () => {
    let count = 0;
    await start((stream) => {
      count += 1;
      let bytes = 0;
      stream.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > 100_000) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      });
    });
    const stream = send();
    stream.end(Buffer.alloc(200_000));
    expect([(await head(stream))[":status"], count]).toEqual([503, 1]);
  });
});

test.each([
  ["application/json", { ":status": 503 }],
  ["application/grpc", { ":status": 200, "grpc-status": "14" }],
])("a %s request whose connection breaks is not repeated, and told so", async (type, answer) => {
  let count = 0;
  await start((stream) => {
    count += 1;
    stream.once("data", () => relay.upstreams[0]?.destroy());
  });
  const stream = send({ "content-type": type });
  stream.end("x");
  expect(await head(stream)).toMatchObject(answer);
  stream.resume();
  await closed(stream);
  expect(count).toBe(1);
});
