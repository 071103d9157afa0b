import { gzipSync } from "node:zlib";

import { loadOtlpCodec } from "@anyrunner/protocol";
import fc from "fast-check";
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

test("a listener that throws is the child's 400, and the receiver goes on", async () => {
  receiver = await serveTelemetry({
    onBatch() {
      throw new Error("not now");
    },
  });
  const send = async () => (await fetch(`${receiver?.endpoint}/v1/traces`, { method: "POST", headers: protobuf, body: await encoded() })).status;
  expect([await send(), await send()]).toEqual([400, 400]);
});

test("whatever a child sends, it gets an answer, and listeners only what has the shape of a request", async () => {
  const { batches, send } = await start();
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
    // A request with some bytes changed or cut off: most likely to be taken for a whole one.
    fc.tuple(fc.nat(200), fc.nat(255), fc.nat(200)).map(([at, value, cut]) => ({ at, value, cut })),
  );
  const whole = await encoded();
  const damaged = ({ at, value, cut }: { readonly at: number; readonly value: number; readonly cut: number }) => {
    const bytes = Buffer.from(whole.subarray(0, cut));
    if (at < bytes.length) bytes[at] = value;
    return bytes;
  };
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom("application/json", "application/x-protobuf"), fc.boolean(), async (sent, type, packed) => {
      const bytes = Buffer.isBuffer(sent) ? sent : damaged(sent);
      const before = batches.length;
      const status = await send({
        headers: { "content-type": type, ...(packed && { "content-encoding": "gzip" }) },
        body: packed ? gzipSync(bytes) : bytes,
      });
      expect([201, 400]).toContain(status);
      expect(batches.length - before).toBe(status === 201 ? 1 : 0);
      const { request } = batches.at(-1) ?? { request: {} };
      expect(Object.keys(request as object).every((name) => name === "resourceSpans")).toBe(true);
    }),
    { numRuns: 300 },
  );
});
