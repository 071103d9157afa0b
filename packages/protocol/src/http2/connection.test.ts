import { once } from "node:events";
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { type Duplex, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { describe, expect, test, vi } from "vitest";

import { duplexPair } from "../duplex-pair.ts";
import { STREAM_KINDS, streamPair } from "../stream-pair.fixture.ts";
import { openHttp2Connection } from "./connection.ts";
import { readFrames } from "./frames.fixture.ts";
import { readText } from "./response-body.ts";

type Answer = (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void | Promise<void>;

/** A peer that is node's own HTTP/2 server. */
function peer(stream: Duplex, answer: Answer): ServerHttp2Session {
  const session = performServerHandshake(stream);
  session.on("error", () => {});
  session.on("stream", (http2Stream, headers) => {
    http2Stream.on("error", () => {});
    void answer(http2Stream, headers);
  });
  return session;
}

describe.each(STREAM_KINDS)("over a %s", (kind) => {
  test("a request with headers and body, and its answer", async () => {
    const [left, right] = await streamPair(kind);
    peer(right, async (stream, headers) => {
      const body = await buffer(stream);
      stream.respond({ ":status": 201, "x-method": String(headers[":method"]), "x-path": String(headers[":path"]), "x-sent": String(headers["x-mine"]) });
      stream.end(body);
    });
    const connection = openHttp2Connection(left);
    const response = await connection.request({ path: "/query?x=1", headers: { "x-mine": "y" }, body: "hello" });
    expect(response).toMatchObject({ status: 201, headers: { "x-method": "POST", "x-path": "/query?x=1", "x-sent": "y" } });
    expect(await readText(response.body, { limitBytes: 100 })).toBe("hello");
    const large = Buffer.alloc(5_000_000, 3);
    const echoed = await connection.request({ method: "PUT", path: "/", body: Readable.from([large.subarray(0, 1_000_000), large.subarray(1_000_000)]) });
    expect((await buffer(echoed.body)).equals(large)).toBe(true);
    await connection.close();
    expect(await connection.closed).toBeUndefined();
  });
});

test("answers without a body, and many at once", async () => {
  const [left, right] = duplexPair();
  peer(right, (stream) => stream.respond({ ":status": 204 }, { endStream: true }));
  const connection = openHttp2Connection(left);
  const answers = await Promise.all(Array.from({ length: 400 }, () => connection.request({ path: "/" })));
  expect(answers.every(({ status }) => status === 204)).toBe(true);
  for (const { body } of answers) expect(await readText(body, { limitBytes: 1 })).toBe("");
  connection.destroy();
  expect(await connection.closed).toBeUndefined();
});

test("says what the contract of the wire wants: no push, 1 MiB windows", async () => {
  const [left, right] = duplexPair();
  const frames = readFrames(right);
  const session = peer(right, (stream) => stream.respond({ ":status": 204 }, { endStream: true }));
  const connection = openHttp2Connection(left);
  await connection.request({ path: "/" });
  expect(session.remoteSettings).toMatchObject({
    enablePush: false,
    initialWindowSize: 1024 * 1024,
    maxFrameSize: 1024 * 1024,
    maxHeaderListSize: 1024 * 1024,
  });
  expect(frames.filter(({ type, streamId }) => type === "WINDOW_UPDATE" && streamId === 0).map(({ code }) => code)).toEqual([1024 * 1024 - 65_535]);
  connection.destroy();
});

describe("giving up", () => {
  test("an aborted request resets its stream with CANCEL and does not look complete", async () => {
    const [left, right] = duplexPair();
    const frames = readFrames(right);
    peer(right, () => {});
    const connection = openHttp2Connection(left);
    const controller = new AbortController();
    const body = new Readable({ read() {} });
    body.push("first half");
    const request = connection.request({ path: "/query", body, signal: controller.signal });
    await connection.ping();
    controller.abort();
    await expect(request).rejects.toMatchObject({ code: "ABORTED" });
    await vi.waitFor(() => expect(frames.filter(({ streamId }) => streamId === 1).at(-1)).toMatchObject({ type: "RST_STREAM", code: 8 }), { timeout: 60_000 });
    expect(frames.some(({ type, endStream }) => type === "DATA" && endStream)).toBe(false);
    expect(body.destroyed).toBe(true);
    connection.destroy();
  });

  test("so does a body that is destroyed early, or whose signal is aborted", async () => {
    const [left, right] = duplexPair();
    const frames = readFrames(right);
    peer(right, (stream) => {
      stream.respond({ ":status": 200 });
      stream.write("part");
    });
    const connection = openHttp2Connection(left);
    const first = await connection.request({ path: "/a" });
    first.body.destroy();
    const controller = new AbortController();
    const second = await connection.request({ path: "/b", signal: controller.signal });
    controller.abort();
    await expect(buffer(second.body)).rejects.toMatchObject({ code: "ABORTED" });
    const resets = () => frames.filter(({ type }) => type === "RST_STREAM").map(({ streamId, code }) => [streamId, code]);
    await vi.waitFor(
      () =>
        expect(resets()).toEqual([
          [1, 8],
          [3, 8],
        ]),
      { timeout: 60_000 },
    );
    connection.destroy();
  });

  test("a request whose own body fails, fails with that", async () => {
    const [left, right] = duplexPair();
    peer(right, () => {});
    const connection = openHttp2Connection(left);
    const boom = new Error("boom");
    const body = new Readable({ read: () => {} });
    const request = connection.request({ path: "/", body });
    body.destroy(boom);
    await expect(request).rejects.toBe(boom);
    await expect(connection.request({ path: "/", body: new Readable().destroy() })).rejects.toThrow("is destroyed");
    connection.destroy();
  });

  test("an aborted signal destroys the whole connection", async () => {
    const [left, right] = duplexPair();
    peer(right, () => {});
    const controller = new AbortController();
    const connection = openHttp2Connection(left, { signal: controller.signal });
    const request = connection.request({ path: "/" });
    controller.abort();
    await expect(request).rejects.toMatchObject({ code: "ABORTED" });
    expect(await connection.closed).toMatchObject({ code: "ABORTED" });
    expect(left.destroyed).toBe(true);
  });
});

describe("losing the peer", () => {
  test.each(STREAM_KINDS)("over a %s: what was open fails, typed and retryable", async (kind) => {
    const [left, right] = await streamPair(kind);
    peer(right, (stream, headers) => {
      if (headers[":path"] === "/body") stream.respond({ ":status": 200 });
    });
    const connection = openHttp2Connection(left);
    const head = connection.request({ path: "/head" });
    const { body } = await connection.request({ path: "/body" });
    right.destroy();
    await expect(head).rejects.toMatchObject({ code: "CONNECTION_LOST", retryable: true });
    await expect(buffer(body)).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    expect(await connection.closed).toMatchObject({ code: "CONNECTION_LOST" });
    await expect(connection.request({ path: "/" })).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await expect(connection.ping()).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await connection.close();
  });

  test("a peer that says goodbye lets open requests end, and is no error", async () => {
    const [left, right] = duplexPair();
    const streams: ServerHttp2Stream[] = [];
    const session = peer(right, (stream) => {
      stream.respond({ ":status": 200 });
      streams.push(stream);
    });
    const connection = openHttp2Connection(left);
    const { body } = await connection.request({ path: "/" });
    session.close();
    await vi.waitFor(async () => expect(connection.request({ path: "/" })).rejects.toMatchObject({ code: "CONNECTION_LOST" }), { timeout: 60_000 });
    streams[0]?.end("all");
    expect(await readText(body, { limitBytes: 10 })).toBe("all");
    expect(await connection.closed).toBeUndefined();
  });

  test("a body that is cut off does not end well", async () => {
    const [left, right] = duplexPair();
    peer(right, (stream) => {
      stream.respond({ ":status": 200 });
      stream.write("part");
      stream.close(2);
    });
    const connection = openHttp2Connection(left);
    await expect(connection.request({ path: "/" }).then(({ body }) => buffer(body))).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    connection.destroy();
  });

  test.each([
    ["and ends", true],
    ["and stays open", false],
  ])("text where HTTP/2 should be is the message, when the stream writes it %s", async (_, ends) => {
    const [left, right] = duplexPair();
    const connection = openHttp2Connection(left);
    right.write('OCI runtime exec failed: exec: "buildctl": executable file not found in $PATH: unknown\r\n');
    if (ends) right.end();
    await expect(connection.request({ path: "/" })).rejects.toMatchObject({
      code: "WRONG_SERVER",
      message: expect.stringContaining("OCI runtime exec failed"),
    });
    expect(await connection.closed).toMatchObject({ code: "WRONG_SERVER" });
  });
});

test("closing waits for open requests, but not for ever", async () => {
  const [left, right] = duplexPair();
  peer(right, () => {});
  const connection = openHttp2Connection(left);
  const request = connection.request({ path: "/" });
  const failed = expect(request).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  await connection.close({ graceMs: 5 });
  await failed;
  expect(await connection.closed).toBeUndefined();
});

test("a body is read no faster than its reader", async () => {
  const [left, right] = duplexPair();
  let written = 0;
  peer(right, async (stream) => {
    stream.respond({ ":status": 200 });
    for (let i = 0; i < 300; i++) {
      if (!stream.write(Buffer.alloc(64 * 1024))) await once(stream, "drain");
      written += 64 * 1024;
    }
    stream.end();
  });
  const connection = openHttp2Connection(left);
  const { body } = await connection.request({ path: "/" });
  for (let i = 0; i < 50; i++) await connection.ping();
  expect(written).toBeLessThan(3 * 1024 * 1024);
  expect((await buffer(body)).length).toBe(300 * 64 * 1024);
  connection.destroy();
});

test("readText fails above its limit", async () => {
  await expect(readText(Readable.from([Buffer.from("abc"), Buffer.from("def")]), { limitBytes: 5 })).rejects.toThrow("longer than 5 bytes");
});

test("an end by force doesn't wait for a peer that takes nothing any more and never ends", async () => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  const connection = openHttp2Connection(connect((server.address() as AddressInfo).port, "127.0.0.1"));
  const [peerSocket] = (await accepted) as [Socket];
  const answer = connection.request({ path: "/shutdown" });
  const refused = expect(answer).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  await connection.close({ graceMs: 5 });
  await refused;
  peerSocket.destroy();
  server.close();
});
