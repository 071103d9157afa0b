import { gzipSync } from "node:zlib";

import { loadOtlpCodec } from "@anyrunner/protocol";
import { afterEach, expect, test } from "vitest";

import type { TelemetryBatch } from "./batch.ts";
import { serveTelemetry, type TelemetryReceiver } from "./serve-telemetry.ts";

let receiver: TelemetryReceiver | undefined;
afterEach(() => receiver?.close());

const trace = { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: "CvdlGRbNQ92ESOshHIAxnA==", spanId: "t61raXEgMzE=", name: "a" }] }] }] };

async function start(limitBytes?: number): Promise<{ readonly batches: TelemetryBatch[]; send(init: RequestInit, path?: string): Promise<number> }> {
  const batches: TelemetryBatch[] = [];
  receiver = await serveTelemetry({ onBatch: (batch) => batches.push(batch), limitBytes });
  const { endpoint } = receiver;
  return { batches, send: async (init, path = "/v1/traces") => (await fetch(`${endpoint}${path}`, { method: "POST", ...init })).status };
}
const protobuf = { "content-type": "application/x-protobuf" };
const encoded = async () => Buffer.from((await loadOtlpCodec()).encode("traces", trace));

test("takes protobuf, packed and plain, and OTLP's own JSON", async () => {
  const { batches, send } = await start();
  const body = await encoded();
  expect(await send({ headers: protobuf, body })).toBe(201);
  expect(await send({ headers: { ...protobuf, "content-encoding": "gzip" }, body: gzipSync(body) })).toBe(201);
  const json = JSON.stringify(trace)
    .replace("CvdlGRbNQ92ESOshHIAxnA==", "0af7651916cd43dd8448eb211c80319c")
    .replace("t61raXEgMzE=", Buffer.from("t61raXEgMzE=", "base64").toString("hex"));
  expect(await send({ headers: { "content-type": "application/json" }, body: json })).toBe(201);
  expect(batches).toEqual(Array(3).fill({ signal: "traces", request: trace }));
});

test.each([
  ["what is no request", 400, { headers: protobuf, body: "\u0007nonsense" }, "/v1/traces"],
  ["another path", 404, { headers: protobuf, body: "" }, "/v1/other"],
  ["another method", 405, { method: "PUT", headers: protobuf, body: "" }, "/v1/logs"],
  ["a form of a web page", 415, { headers: { "content-type": "text/plain" }, body: "" }, "/v1/logs"],
  ["too much", 413, { headers: protobuf, body: "x".repeat(2000) }, "/v1/logs"],
  ["too much once unpacked", 400, { headers: { ...protobuf, "content-encoding": "gzip" }, body: gzipSync("x".repeat(100_000)) }, "/v1/logs"],
])("%s is refused with %d", async (_, status, init, path) => {
  const { batches, send } = await start(1000);
  expect(await send(init, path)).toBe(status);
  expect(batches).toEqual([]);
});
