import type { Duplex } from "node:stream";

import { RunnerError, type CallOptions, type Runner } from "@anyrunner/core";
import { forwardRequest, serveHttp2, splice, startsWithHttp2, type ForwardFailure, type GrpcServer } from "@anyrunner/protocol";

import type { UpstreamPool } from "./upstream-pool.ts";
import { watchAnswers } from "./watch-answers.ts";

export interface BridgeClientOptions extends CallOptions {
  readonly runner: Runner;
  readonly pool: UpstreamPool;
  /** Counts what this client has of its own at the engine. */
  readonly onSplice: (delta: 1 | -1) => void;
}

/** One client's byte stream. */
export interface BridgeClient {
  /** Resolves when the stream is gone. Never rejects. */
  readonly closed: Promise<void>;
  /** Lets requests that run end for `graceMs`, then destroys the stream. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** How long a client may take to say its first word, in ms. */
const FIRST_BYTES_BUDGET_MS = 60_000;
/** To a client on this machine a small window is as fast as a large one, and bounds what an engine that doesn't read makes us hold. */
const WINDOW_BYTES = 256 * 1024;

/**
 * Serves one client of the bridge, whatever it speaks: HTTP/2 requests go on one by one over the connections that all clients share;
 * HTTP/1.1, which the attachables of a session begin with, gets a connection of its own and is copied byte for byte.
 */
export function serveBridgeClient(stream: Duplex, options: BridgeClientOptions): BridgeClient {
  const ending = new AbortController();
  let http2: GrpcServer | undefined;
  stream.on("error", () => {});
  const closed = new Promise<void>((resolve) => stream.once("close", () => resolve()));
  void closed.then(() => ending.abort());
  void start().catch((error: unknown) => {
    if (!ending.signal.aborted) warn(options, error);
    stream.destroy();
  });
  return {
    closed,
    async close({ graceMs }) {
      if (http2 !== undefined) await http2.close({ graceMs });
      stream.destroy();
      await closed;
    },
  };

  async function start(): Promise<void> {
    if (!(await speaksHttp2())) return spliceHttp1(stream, ending.signal, options);
    const onAnswer = watchAnswers(options.runner.url, options.report);
    http2 = serveHttp2(stream, { windowBytes: WINDOW_BYTES }, (client, headers, rawHeaders) => {
      void forwardRequest(client, { headers, rawHeaders }, { claim: options.pool.claim, explain: (error) => explain(options, error), onAnswer });
    });
    await http2.closed;
    stream.destroy();
  }

  async function speaksHttp2(): Promise<boolean> {
    const budget = setTimeout(() => ending.abort(), FIRST_BYTES_BUDGET_MS).unref();
    try {
      return await startsWithHttp2(stream, { signal: ending.signal });
    } catch (error) {
      // It left without a word, or had none: a port that is probed.
      ending.abort();
      throw error;
    } finally {
      clearTimeout(budget);
    }
  }
}

async function spliceHttp1(stream: Duplex, signal: AbortSignal, options: BridgeClientOptions): Promise<void> {
  options.onSplice(1);
  try {
    const connection = await options.runner.connect({ signal, report: options.report });
    await splice(stream, connection.stream, { halfClose: connection.halfClose });
  } catch (error) {
    if (signal.aborted) return;
    const { message } = explain(options, error);
    stream.end(
      `HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(message) + 1}\r\n\r\n${message}\n`,
    );
    stream.resume();
  } finally {
    options.onSplice(-1);
  }
}

/** What the client is told; the user of the bridge reads the same, with the remedy. */
function explain(options: BridgeClientOptions, error: unknown): ForwardFailure {
  const typed = RunnerError.from(error, "CONNECTION_LOST", { retryable: true });
  warn(options, typed);
  const message = `${options.runner.url}: ${typed.message}${typed.hint === undefined ? "" : ` (${typed.hint})`}`;
  return { message, retryable: typed.retryable || typed.code === "TIMEOUT" || typed.code === "CONNECTION_LOST" || typed.code === "ABORTED" };
}

function warn({ report }: BridgeClientOptions, error: unknown): void {
  const { code, message, hint } = RunnerError.from(error, "INTERNAL");
  if (code !== "ABORTED") report?.({ type: "warning", id: `bridge-${code}`, message, hint });
}
