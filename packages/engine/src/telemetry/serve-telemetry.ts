import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

import { loadOtlpCodec, toBase64Ids, TELEMETRY_SIGNALS, type OtlpCodec } from "@anyrunner/protocol";

import type { TelemetryBatch, TelemetryBatchListener } from "./batch.ts";

/** Who gets what is received, and how much at once. */
export interface ServeTelemetryOptions {
  /** Without one, what comes is taken and thrown away. */
  readonly onBatch?: TelemetryBatchListener | undefined;
  /** Largest request, unpacked, in bytes. Default 32 MiB. */
  readonly limitBytes?: number | undefined;
}

/** A receiver of OTLP on this machine. */
export interface TelemetryReceiver {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** Requests that are being read end; the port is freed. Idempotent. */
  close(): Promise<void>;
}

const LIMIT_BYTES = 32 << 20;
/** Bodies that are read at once; more are told to come again. */
const MOST_REQUESTS = 16;
const unpack = promisify(gunzip);

/**
 * An OTLP receiver on 127.0.0.1 for the child of a session: `POST /v1/traces`, `/v1/logs` and `/v1/metrics` in protobuf or JSON, with gzip
 * or without. It asks for no token, as the official one doesn't: SDKs have no variable for one that the user may not have set himself.
 */
export async function serveTelemetry({ onBatch, limitBytes = LIMIT_BYTES }: ServeTelemetryOptions): Promise<TelemetryReceiver> {
  let codec: Promise<OtlpCodec> | undefined;
  let running = 0;
  const server = createServer((request, response) => {
    if (running >= MOST_REQUESTS) return refuse(request, response, 503);
    running++;
    response.once("close", () => running--);
    receive(request, { limitBytes, codec: () => (codec ??= loadOtlpCodec()), wanted: onBatch !== undefined })
      .then((batch) => {
        if (typeof batch === "number") return refuse(request, response, batch);
        onBatch?.(batch);
        response.writeHead(201).end();
      })
      .catch(() => refuse(request, response, 400));
  });
  server.on("clientError", (_, socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = server.listening ? once(server, "close") : undefined;
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface ReceiveOptions {
  readonly limitBytes: number;
  readonly codec: () => Promise<OtlpCodec>;
  readonly wanted: boolean;
}

/** The batch of a request, or the status that refuses it. */
async function receive(request: IncomingMessage, { limitBytes, codec, wanted }: ReceiveOptions): Promise<TelemetryBatch | number> {
  const path = new URL(request.url ?? "/", "http://receiver").pathname;
  const signal = TELEMETRY_SIGNALS.find((name) => path === `/v1/${name}`);
  if (signal === undefined) return 404;
  if (request.method !== "POST") return 405;
  const type = (request.headers["content-type"] ?? "application/x-protobuf").split(";")[0]?.trim();
  const isJson = type === "application/json";
  // Pages in a browser can only send other types without being asked for leave first.
  if (!isJson && type !== "application/x-protobuf") return 415;
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") return 415;
  const packed = await readBody(request, limitBytes);
  if (packed === undefined) return 413;
  if (!wanted) return { signal, request: {} };
  const body = encoding === "gzip" ? await unpack(packed, { maxOutputLength: limitBytes }) : packed;
  const otlp = await codec();
  // Read once as a message, so that listeners only see what has the right shape.
  const bytes = isJson ? otlp.encode(signal, toBase64Ids(JSON.parse(body.toString("utf8")))) : body;
  return { signal, request: otlp.decode(signal, bytes) };
}

async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
  if (response.headersSent || response.destroyed) return;
  request.resume();
  response.writeHead(status, { connection: "close", ...(status === 503 ? { "retry-after": "1" } : {}) }).end();
}
