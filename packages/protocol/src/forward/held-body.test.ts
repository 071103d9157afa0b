import { performServerHandshake } from "node:http2";

import { expect, test } from "vitest";

import { duplexPair } from "../duplex-pair.ts";
import { serveHttp2 } from "../grpc/server.ts";
import { openHttp2Connection } from "../http2/connection.ts";
import { PREFACE } from "../http2/preface.ts";
import { forwardRequest } from "./forward-request.ts";

test("trailers that can't be sent on break the request that has them, and nothing else", async () => {
  const [client, front] = duplexPair();
  const [near, far] = duplexPair();
  let arrived = 0;
  performServerHandshake(far).on("stream", (stream) => {
    arrived += 1;
    stream.on("error", () => {});
    stream.resume();
  });
  const connection = openHttp2Connection(near);
  await connection.ping();
  let over = 0;
  const server = serveHttp2(front, {}, (stream, headers, rawHeaders) => {
    const claim = async () => ({ open: connection.openStream, heard: () => {}, release: () => {} });
    void forwardRequest(stream, { headers, rawHeaders }, { claim, explain: () => ({ message: "gone", retryable: false }) }).then(() => (over += 1));
  });
  client.resume();
  client.write(PREFACE);
  client.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)));
  client.write(frame(HEADERS, END_HEADERS, 1, fields([":method", "POST"], [":scheme", "http"], [":authority", "dagger"], [":path", "/query"])));
  client.write(frame(DATA, 0, 1, Buffer.from("x")));
  // Node lets nobody send this name twice, but takes it.
  client.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, fields(["user-agent", "a"], ["user-agent", "b"])));
  await expect.poll(() => [arrived, over]).toEqual([1, 1]);
  expect(connection.lost()).toBeUndefined();
  server.destroy();
  connection.destroy();
});

const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const END_STREAM = 1;
const END_HEADERS = 4;

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK without its table and its code. */
function fields(...pairs: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(pairs.flat().flatMap((text, i) => [Buffer.from(i % 2 === 0 ? [0, text.length] : [text.length]), Buffer.from(text)]));
}
