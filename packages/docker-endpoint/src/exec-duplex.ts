import { Duplex } from "node:stream";

import { RunnerError, watchClose, type CloseReason } from "@anyrunner/core";

import { createDemultiplexer } from "./demultiplex.ts";
import { dockerTransportError } from "./docker-error.ts";
import type { RawStream } from "./docker-client.ts";
import { endQuietly } from "./end-quietly.ts";
import type { DockerEndpoint } from "./resolve-endpoint.ts";
import { createStartFailureGuard } from "./start-failure.ts";

/** A stream that can let the process end while it is open. */
export type RefDuplex = Duplex & { ref(): void; unref(): void };

export interface ExecDuplexOptions {
  readonly endpoint: DockerEndpoint;
  readonly queueBytes: number;
  readonly graceMs: number;
  /** Judges output that looks like the daemon's error text; `undefined`: it is real output. */
  readonly startError: (text: string) => Promise<RunnerError | undefined>;
  /** Ends a program that goes on after the grace. */
  readonly terminate: () => Promise<void>;
}

export interface ExecDuplex {
  readonly stream: RefDuplex;
  readonly closed: Promise<CloseReason>;
  readonly released: Promise<void>;
  /** Whether the daemon has closed its side: the program has ended. */
  readonly remoteEnded: () => boolean;
  readonly stderrTail: () => string;
}

const STDERR_BYTES = 4096;

/** The raw stream of an attached exec as standard output and input of the program, with back-pressure both ways. */
export function createExecDuplex(socket: RawStream, options: ExecDuplexOptions): ExecDuplex {
  let stderr: Buffer = Buffer.alloc(0);
  let ended = false;
  const guard = createStartFailureGuard();
  const release = Promise.withResolvers<void>();

  const demultiplexer = createDemultiplexer({
    stdout(chunk) {
      const passed = guard.accept(chunk);
      if (passed !== undefined && passed.length > 0 && !stream.push(passed)) socket.pause();
    },
    stderr(chunk) {
      stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_BYTES);
    },
  });

  const stream = Object.assign(
    new Duplex({
      // When the program has ended there is nobody to write to.
      allowHalfOpen: false,
      read: () => void socket.resume(),
      write(chunk: Buffer, _encoding, callback) {
        socket.write(chunk);
        acknowledge(callback);
      },
      writev(chunks, callback) {
        socket.cork();
        for (const { chunk } of chunks as readonly { readonly chunk: Buffer }[]) socket.write(chunk);
        socket.uncork();
        acknowledge(callback);
      },
      final(callback) {
        if (socket.destroyed || socket.writableEnded) callback();
        else socket.end(() => callback());
      },
      destroy(error, callback) {
        socket.off("data", onData);
        void endQuietly(socket, { graceMs: options.graceMs, terminate: options.terminate }).then(release.resolve);
        callback(error);
      },
    }),
    { ref: () => void socket.ref(), unref: () => void socket.unref() },
  );
  const closed = watchClose(stream);

  // A relay that is not fully duplex must not hold writes back (node's http2 reads nothing meanwhile): only a full queue does.
  function acknowledge(callback: (error?: Error | null) => void): void {
    if (socket.destroyed || socket.writableLength <= options.queueBytes) callback();
    else waiting = callback;
  }
  let waiting: ((error?: Error | null) => void) | undefined;
  socket.on("drain", () => {
    const callback = waiting;
    waiting = undefined;
    callback?.();
  });

  function onData(chunk: Buffer): void {
    try {
      demultiplexer.push(chunk);
    } catch (error) {
      stream.destroy(error as Error);
    }
  }

  async function onEnd(): Promise<void> {
    ended = true;
    if (!demultiplexer.complete) return lost("in the middle of a frame");
    if (guard.held.length > 0) {
      const error = guard.suspicious ? await options.startError(guard.held.toString("utf8")) : undefined;
      if (stream.destroyed) return;
      if (error !== undefined) return void stream.destroy(error);
      stream.push(guard.held);
    }
    stream.push(null);
  }

  function lost(when: string, cause?: unknown): void {
    const error = new RunnerError("CONNECTION_LOST", `the Docker daemon at ${options.endpoint.host} closed the stream ${when}`, { retryable: true, cause });
    stream.destroy(cause === undefined ? error : dockerTransportError(cause, options.endpoint));
  }

  socket.on("data", onData);
  socket.on("end", () => void onEnd());
  socket.on("error", (error) => lost("with an error", error));
  socket.on("close", () => {
    if (!ended) lost("before its end");
    waiting?.();
  });

  return { stream, closed, released: release.promise, remoteEnded: () => ended, stderrTail: () => stderr.toString("utf8") };
}
