import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

import type { Reporter } from "@anyrunner/core";
import { loadOtlpCodec, type OtlpCodec } from "@anyrunner/protocol";

import { filterBatch, type TelemetryBatch } from "./batch.ts";
import { exportTargets, type ExportTarget } from "./export-targets.ts";
import { isRunning } from "./records.ts";

/** Where telemetry goes, and who hears of it when it doesn't. */
export interface ExportTelemetryOptions {
  /** Has the variables `OTEL_EXPORTER_OTLP_*` that name the receivers. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Reporter;
  /** Delivers one request; rejects when the receiver doesn't take it. Default: HTTP. */
  readonly send?: SendTelemetry | undefined;
}

/** Delivers one OTLP request to one receiver. Rejects when it was not taken. */
export type SendTelemetry = (target: ExportTarget, body: Uint8Array | string, signal: AbortSignal) => Promise<void>;

/** Sends telemetry to the receivers that the user's environment names. Never throws; what goes wrong is told once. */
export interface TelemetryExport {
  add(batch: TelemetryBatch): void;
  /** Delivers what waits, within the budget, then gives the rest up. */
  close(options: { readonly budgetMs: number }): Promise<void>;
}

const MOST_WAITING = 1000;
const MOST_FAILURES = 3;

/** `undefined` when the environment names no receiver. Spans that still run are only sent where `OTEL_EXPORTER_OTLP_TRACES_LIVE` asks for them. */
export function exportTelemetry({ env, report, send = sendByHttp }: ExportTelemetryOptions): TelemetryExport | undefined {
  const { targets, refused } = exportTargets(env);
  const [first] = refused;
  if (first !== undefined) {
    report({
      type: "warning",
      id: "telemetry-export",
      message: `telemetry isn't exported: ${first.variable} ${first.reason}`,
      hint: "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf and the endpoint for it, mostly port 4318",
    });
  }
  if (targets.length === 0) return undefined;
  let codec: Promise<OtlpCodec> | undefined;
  const warn = (message: string) => report({ type: "warning", id: "telemetry-export", message: `telemetry isn't exported: ${message}` });
  const live = Boolean(env["OTEL_EXPORTER_OTLP_TRACES_LIVE"]);
  const queues = targets.map((target) => createQueue(target, { send, warn, codec: () => (codec ??= loadOtlpCodec()) }));
  return {
    add(batch) {
      const wanted = batch.signal === "traces" && !live ? filterBatch(batch, (span) => !isRunning(span)) : batch;
      if (wanted !== undefined) for (const queue of queues) queue.add(wanted);
    },
    async close({ budgetMs }) {
      await Promise.all(queues.map((queue) => queue.close(budgetMs)));
    },
  };
}

interface QueueOptions {
  readonly send: SendTelemetry;
  readonly warn: (message: string) => void;
  readonly codec: () => Promise<OtlpCodec>;
}

function createQueue(target: ExportTarget, { send, warn, codec }: QueueOptions): { add(batch: TelemetryBatch): void; close(budgetMs: number): Promise<void> } {
  const giveUp = new AbortController();
  const waiting: TelemetryBatch[] = [];
  let failures = 0;
  let working: Promise<void> | undefined;

  const deliver = async (batch: TelemetryBatch) => {
    const otlp = await codec();
    const body = target.format === "json" ? otlp.toOtlpJson(batch.signal, batch.request) : otlp.encode(batch.signal, batch.request);
    // To load the codec may have taken longer than there was time.
    giveUp.signal.throwIfAborted();
    await send(target, body, AbortSignal.any([giveUp.signal, AbortSignal.timeout(target.timeoutMs)]));
  };
  const work = async () => {
    for (let batch = waiting.shift(); batch !== undefined && !giveUp.signal.aborted; batch = waiting.shift()) {
      try {
        await deliver(batch);
        failures = 0;
      } catch (error) {
        warn(`${target.url.origin} ${reasonOf(error)}`);
        if (++failures >= MOST_FAILURES) giveUp.abort();
      }
    }
    working = undefined;
  };
  return {
    add(batch) {
      if (batch.signal !== target.signal || giveUp.signal.aborted) return;
      if (waiting.length >= MOST_WAITING) {
        waiting.shift();
        warn(`${target.url.origin} is too slow, and the oldest was dropped`);
      }
      waiting.push(batch);
      working ??= work();
    },
    async close(budgetMs) {
      const timer = setTimeout(() => giveUp.abort(), budgetMs);
      await working;
      clearTimeout(timer);
    },
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "TimeoutError" || error.name === "AbortError" ? "didn't answer in time" : `can't be reached or refused it: ${error.message}`;
}

const sendByHttp: SendTelemetry = (target, body, signal) =>
  new Promise((resolve, reject) => {
    const { url, format, headers } = target;
    const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(
      url,
      {
        method: "POST",
        agent: false,
        signal,
        headers: {
          ...headers,
          "content-type": format === "json" ? "application/json" : "application/x-protobuf",
          "content-length": Buffer.byteLength(body),
        },
      },
      (response) => {
        const { statusCode = 0 } = response;
        response.resume();
        response.once("error", reject);
        response.once("end", () => (statusCode >= 200 && statusCode < 300 ? resolve() : reject(new Error(`status ${statusCode}`))));
      },
    );
    request.once("error", (error) => reject(signal.aborted ? (signal.reason as Error) : error));
    request.end(body);
  });
