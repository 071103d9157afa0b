import type { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";

import { abortedError, RunnerError, throwIfAborted } from "@anyrunner/core/driver";

import { readAttachedFrames, type AttachedFrame } from "./attached-frames.ts";
import { findOutputEnd, type OutputEnd } from "./output-end.ts";
import { encodeKill, NONCE_BYTES } from "./requests.ts";

/** What the holder says when a request has ended and nothing of it lives any more. */
export type HolderReply =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "killed"; readonly signal: number }
  /** `errno` is Linux's number. */
  | { readonly kind: "not-started" | "no-workdir" | "no-resources"; readonly errno: number }
  | { readonly kind: "no-user"; readonly reason: string }
  | { readonly kind: "path-failed"; readonly errno: number; readonly path: string };

/** Called with each chunk in order; a returned promise holds the stream back. */
export type OutputSink = (chunk: Uint8Array) => void | Promise<void>;

export interface HolderCall {
  readonly stdout?: OutputSink | undefined;
  readonly stderr?: OutputSink | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Requests to the holder of one container over its attached stream; one at a time. */
export interface HolderChannel {
  /**
   * Fails with ABORTED after everything in the container was killed, with CONNECTION_LOST when the container is gone, or
   * with what a sink threw.
   */
  request(encode: (nonce: Buffer) => readonly Uint8Array[], call: HolderCall): Promise<HolderReply>;
  /** Ends the connection, and so the container. */
  destroy(): void;
}

/** How long a killed step may take to be gone before the connection is cut, which ends the whole container. */
const KILL_BUDGET_MS = 10_000;

export function createHolderChannel(stream: Duplex): HolderChannel {
  const frames = readAttachedFrames(stream);
  stream.on("error", () => {});
  return {
    async request(encode, call) {
      throwIfAborted(call.signal);
      const nonce = randomBytes(NONCE_BYTES);
      const cancellation = watchCancellation(stream, call.signal);
      try {
        await writeAll(stream, encode(nonce));
        return await readReply(frames, nonce, { ...call, cancelled: cancellation.cancelled });
      } catch (error) {
        stream.destroy();
        if (call.signal?.aborted) throw abortedError(call.signal);
        throw RunnerError.from(error, "CONNECTION_LOST");
      } finally {
        cancellation.stop();
      }
    },
    destroy: () => stream.destroy(),
  };
}

async function readReply(frames: AsyncGenerator<AttachedFrame>, nonce: Buffer, call: HolderCall & { readonly cancelled: Promise<void> }): Promise<HolderReply> {
  const ends = { stdout: findOutputEnd(nonce), stderr: findOutputEnd(nonce) };
  const sinks = { stdout: call.stdout, stderr: call.stderr };
  for (;;) {
    const reply = parseReply(ends);
    if (reply !== undefined) {
      if (call.signal?.aborted) throw abortedError(call.signal);
      return reply;
    }
    const { value: frame, done } = await frames.next();
    if (done)
      throw new RunnerError("CONNECTION_LOST", "the container of the step is gone", {
        hint: "see the log of the Docker daemon; it may have run out of memory",
      });
    for (const chunk of ends[frame.stream].push(frame.data)) {
      // After a cancellation, output is only read to get to the end of it.
      if (!call.signal?.aborted) await Promise.race([sinks[frame.stream]?.(chunk), call.cancelled]);
    }
  }
}

function parseReply({ stdout, stderr }: { readonly stdout: OutputEnd; readonly stderr: OutputEnd }): HolderReply | undefined {
  const report = stderr.rest;
  if (stdout.rest === undefined || report === undefined || report.length < 9) return undefined;
  const length = report.readUInt32LE(5);
  if (report.length < 9 + length) return undefined;
  const value = report.readInt32LE(1);
  const text = report.toString("utf8", 9, 9 + length);
  switch (report[0]) {
    case 0:
      return { kind: "exited", exitCode: value };
    case 1:
      return { kind: "killed", signal: value };
    case 2:
      return { kind: "not-started", errno: value };
    case 3:
      return { kind: "no-user", reason: text };
    case 4:
      return { kind: "no-workdir", errno: value };
    case 5:
      return { kind: "path-failed", errno: value, path: text };
    default:
      return { kind: "no-resources", errno: value };
  }
}

/** Kills what runs as soon as the signal says so; the request's reply is still awaited, for a while. */
function watchCancellation(stream: Duplex, signal: AbortSignal | undefined): { readonly cancelled: Promise<void>; stop(): void } {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  let budget: NodeJS.Timeout | undefined;
  const onAbort = () => {
    for (const part of encodeKill()) stream.write(part);
    budget = setTimeout(() => stream.destroy(), KILL_BUDGET_MS);
    budget.unref();
    resolve();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  return {
    cancelled,
    stop() {
      clearTimeout(budget);
      signal?.removeEventListener("abort", onAbort);
    },
  };
}

function writeAll(stream: Duplex, parts: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.cork();
    for (const part of parts.slice(0, -1)) stream.write(part);
    stream.write(parts.at(-1) as Uint8Array, (error) => (error ? reject(error) : resolve()));
    stream.uncork();
  });
}
