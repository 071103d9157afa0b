import type { Duplex } from "node:stream";

import { abortedError, RunnerError, throwIfAborted } from "@anyrunner/core";

import { readableText } from "../http2/first-bytes.ts";
import { formatHead, headLength, parseResponseHead, type ResponseHead } from "../http1/message-head.ts";
import { readAhead, StreamEndedError } from "../http1/read-ahead.ts";
import { readBody } from "../http1/read-body.ts";
import { writeAll } from "../http1/write-all.ts";
import { UpgradeRefusedError } from "./upgrade-refused-error.ts";

const HEAD_LIMIT_BYTES = 64 * 1024;
const TEXT_LIMIT_BYTES = 4 * 1024;

/** How long a stream that began with text may take to finish its sentence, in ms. */
const TEXT_BUDGET_MS = 1_000;

export interface RequestUpgradeOptions {
  readonly path: string;
  /** Sent one a line, in this order; a name may come several times. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly signal?: AbortSignal | undefined;
  /** Default: none. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Asks for `path` by HTTP/1.1 and turns the stream over: when this resolves, the engine has answered 101, its one acknowledging byte
 * is written, and the stream's next bytes are the other protocol's. By hand, since the engine answers `HTTP/0.0`, which node's parser
 * rejects.
 *
 * Fails with UpgradeRefusedError for another status, WRONG_SERVER for what is no HTTP (the message has its text), CONNECTION_LOST,
 * TIMEOUT or ABORTED; the stream is destroyed then.
 */
export async function requestUpgrade(stream: Duplex, options: RequestUpgradeOptions): Promise<void> {
  throwIfAborted(options.signal);
  const budget = startBudget(options);
  const ignoreError = () => {};
  stream.on("error", ignoreError);
  try {
    const request = writeAll(stream, formatHead(`GET ${options.path} HTTP/1.1`, [["Host", "dagger"], ["User-Agent", "anyrunner"], ...options.headers]));
    // A server that refuses early may have closed its reading side; what it said counts more than the failed write.
    request.catch(() => {});
    const head = await readHead(stream, budget.signal);
    if (head.status !== 101) throw new UpgradeRefusedError(head.status, (await readBody(stream, head.headers, budget.signal)).trimEnd());
    await request;
    await writeAll(stream, Buffer.of(0));
    stream.off("error", ignoreError);
  } catch (error) {
    // The error listener stays: a stream may complain while it goes down.
    stream.destroy();
    throw classify(error);
  } finally {
    budget.stop();
  }
}

async function readHead(stream: Duplex, signal: AbortSignal): Promise<ResponseHead> {
  const start = await readAhead(stream, (received) => (startsLikeHttp(received) ? headLength(received) : 0), { limitBytes: HEAD_LIMIT_BYTES, signal });
  if (start.length === 0) throw await notHttp(stream, signal);
  const head = parseResponseHead(await readAhead(stream, () => start.length, { limitBytes: HEAD_LIMIT_BYTES, consume: true, signal }));
  if (head === undefined) throw new RunnerError("WRONG_SERVER", "the stream answered with a broken HTTP status line");
  return head;
}

function startsLikeHttp(received: Buffer): boolean {
  const length = Math.min(received.length, 5);
  return received.toString("latin1", 0, length) === "HTTP/".slice(0, length);
}

/** A container runtime that can't start the program writes its complaint where the answer should be. */
async function notHttp(stream: Duplex, signal: AbortSignal): Promise<RunnerError> {
  const whole = (bytes: Buffer) => (bytes.length >= TEXT_LIMIT_BYTES ? TEXT_LIMIT_BYTES : undefined);
  const received = await readAhead(stream, whole, {
    limitBytes: TEXT_LIMIT_BYTES,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TEXT_BUDGET_MS)]),
  }).catch((error: unknown) => (error instanceof StreamEndedError ? error.received : (stream.read() as Buffer | null)));
  signal.throwIfAborted();
  const text = readableText(received ?? Buffer.alloc(0));
  return new RunnerError(
    "WRONG_SERVER",
    text === undefined ? "the stream answered with bytes that are no HTTP" : `the stream answered with text instead of HTTP: ${text}`,
  );
}

function startBudget(options: RequestUpgradeOptions): { readonly signal: AbortSignal; stop(): void } {
  const { signal, timeoutMs } = options;
  const controller = new AbortController();
  const onAbort = () => controller.abort(abortedError(signal as AbortSignal));
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => controller.abort(new RunnerError("TIMEOUT", `no answer to the upgrade of ${options.path} within ${timeoutMs} ms`, { retryable: true })),
          timeoutMs,
        );
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    },
  };
}

function classify(error: unknown): unknown {
  if (RunnerError.is(error) || UpgradeRefusedError.is(error)) return error;
  if (!(error instanceof StreamEndedError)) return RunnerError.from(error, "CONNECTION_LOST", { retryable: true });
  const reason = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return new RunnerError("CONNECTION_LOST", `the stream ended before the engine answered the upgrade${reason}`, { cause: error.cause, retryable: true });
}
