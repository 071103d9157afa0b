import { Duplex } from "node:stream";

import { RunnerError, watchClose, type CloseReason } from "@anyrunner/core/driver";

import type { ApiStatus } from "./cluster-error.ts";
import { endQuietly } from "./end-quietly.ts";
import { CLOSE_STDIN, CHANNEL, type ExecSocket } from "./exec-socket.ts";
import { parseExecStatus } from "./exec-status.ts";
import { watchLiveness } from "./liveness.ts";

/** A stream that can let the process end while it is open. */
export type RefDuplex = Duplex & { ref(): void; unref(): void };

export interface ExecDuplexOptions {
  /** For messages: the API server. */
  readonly where: string;
  /** How many written bytes may wait here before writes wait, too. */
  readonly queueBytes: number;
  /** Pause between pings, in ms; the second one without an answer is the end. */
  readonly pingIntervalMs: number;
  /** How long a program may go on after its stream was destroyed, in ms; its output is discarded. */
  readonly graceMs: number;
  /** Makes an error of a status that says that the program was not started. */
  readonly startError: (status: ApiStatus) => Promise<RunnerError>;
}

export interface ExecDuplex {
  readonly stream: RefDuplex;
  readonly closed: Promise<CloseReason>;
  readonly exitCode: () => number | undefined;
  readonly stderrTail: () => string;
}

const STDERR_BYTES = 4096;
const STATUS_BYTES = 64 * 1024;
/** A server takes messages of up to 32 MiB; smaller ones leave room for pings. */
const FRAME_BYTES = 256 * 1024;
/** A server that has sent the status closes at once. */
const CLOSE_BUDGET_MS = 5000;

/** Standard output and input of the program behind an exec's WebSocket, with back-pressure both ways. */
export function createExecDuplex({ socket, raw, halfClose }: ExecSocket, options: ExecDuplexOptions): ExecDuplex {
  let stderr: Buffer = Buffer.alloc(0);
  let status = "";
  let exitCode: number | undefined;
  let closeTimer: NodeJS.Timeout | undefined;

  // A relay that is not fully duplex must not hold writes back (node's http2 reads nothing meanwhile): only a full queue does.
  let waiting: (() => void) | undefined;
  const release = () => {
    const callback = waiting;
    waiting = undefined;
    callback?.();
  };
  const onSent = () => {
    liveness.heard();
    if (waiting !== undefined && socket.bufferedAmount <= options.queueBytes / 2) release();
  };
  const send = (chunks: readonly Buffer[], callback: () => void) => {
    for (const frame of stdinFrames(chunks)) socket.send(frame, { binary: true }, onSent);
    if (socket.readyState !== socket.OPEN || socket.bufferedAmount <= options.queueBytes) callback();
    else waiting = callback;
  };

  const stream = Object.assign(
    new Duplex({
      // When the program has ended there is nobody to write to.
      allowHalfOpen: false,
      read: () => socket.resume(),
      write: (chunk: Buffer, _encoding, callback) => send([chunk], callback),
      writev: (chunks, callback) =>
        send(
          chunks.map(({ chunk }) => chunk as Buffer),
          callback,
        ),
      final(callback) {
        // Without half-close the end can't be told: closing the socket would lose what is still to come.
        if (!halfClose || socket.readyState !== socket.OPEN) callback();
        else socket.send(CLOSE_STDIN, { binary: true }, () => callback());
      },
      destroy(error, callback) {
        liveness.stop();
        clearTimeout(closeTimer);
        socket.off("message", onMessage);
        if (status === "") endQuietly({ socket, raw, halfClose, graceMs: options.graceMs });
        else socket.terminate();
        release();
        callback(error);
      },
    }),
    { ref: () => void raw?.ref(), unref: () => void raw?.unref() },
  );
  const closed = watchClose(stream);
  const lost = (how: string, cause?: unknown) =>
    void stream.destroy(
      new RunnerError("CONNECTION_LOST", `the API server ${options.where} ${how}`, {
        retryable: true,
        cause,
        hint: "check the pod and the network to the API server",
        driver: "kubernetes",
      }),
    );
  const liveness = watchLiveness({
    intervalMs: options.pingIntervalMs,
    ping: () => {
      if (socket.readyState === socket.OPEN) socket.ping(undefined, undefined, () => undefined);
    },
    onDead: (silentMs) => lost(`has not answered for ${Math.round(silentMs / 1000)} s`),
    // What isn't read can't be heard.
    isDeaf: () => socket.isPaused,
  });

  function onMessage(data: unknown): void {
    const frame = data as Buffer;
    liveness.heard();
    // Servers begin with frames that hold a channel's number only.
    if (frame.length < 2) return;
    const content = frame.subarray(1);
    if (frame[0] === CHANNEL.stdout && !stream.push(content)) socket.pause();
    if (frame[0] === CHANNEL.stderr) stderr = Buffer.concat([stderr, content]).subarray(-STDERR_BYTES);
    if (frame[0] === CHANNEL.status) {
      if (status.length < STATUS_BYTES) status += content.toString("utf8");
      closeTimer ??= setTimeout(() => socket.terminate(), CLOSE_BUDGET_MS).unref();
    }
  }

  async function onClose(code: number): Promise<void> {
    liveness.stop();
    clearTimeout(closeTimer);
    release();
    if (stream.destroyed) return;
    if (status === "") return lost(`closed the stream with code ${code}, without saying how the program ended`);
    const end = parseExecStatus(status);
    if (end.kind === "exited") {
      exitCode = end.exitCode;
      stream.push(null);
      return;
    }
    const error = await options.startError(end.status);
    if (!stream.destroyed) stream.destroy(error);
  }

  socket.on("message", onMessage);
  socket.on("pong", liveness.heard);
  socket.on("close", (code) => void onClose(code));
  socket.resume();
  return { stream, closed, exitCode: () => exitCode, stderrTail: () => stderr.toString("utf8") };
}

/** The chunks as frames of standard input, each no longer than FRAME_BYTES; short chunks share one. */
function* stdinFrames(chunks: readonly Buffer[]): Generator<Buffer> {
  const content = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  for (let start = 0; start < content.length; start += FRAME_BYTES) {
    const part = content.subarray(start, start + FRAME_BYTES);
    const frame = Buffer.allocUnsafe(part.length + 1);
    frame[0] = CHANNEL.stdin;
    part.copy(frame, 1);
    yield frame;
  }
}
