import type { Readable } from "node:stream";

import { abortedError, redact, RunnerError, throwIfAborted } from "@anyrunner/core";

import { endProgram } from "./end-program.ts";
import { trackProgram } from "./live-groups.ts";
import { signalExitCode } from "./signal-exit-code.ts";
import { startError } from "./start-error.ts";

/** Which program, and with what. */
export interface RunProgramOptions {
  /** A name that PATH is searched for, or a path; never a line for a shell. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** The whole environment of the program. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** Written to standard input, which is then closed. Default: nothing. */
  readonly input?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Budget for the whole run, in ms. Default: none. */
  readonly timeoutMs?: number | undefined;
  /** The most that standard output may hold, in bytes. Default 16 MiB. */
  readonly maxOutputBytes?: number | undefined;
  /** How long the program may take to obey SIGTERM when it is cancelled, in ms. Default 2000. */
  readonly graceMs?: number | undefined;
  /** Values that must not appear in the standard error that is returned or quoted. */
  readonly secrets?: Iterable<string> | undefined;
  /** Stay in the terminal's process group, so that the program may ask the user something. What it starts itself is then not killed with it. Default false. */
  readonly terminal?: boolean | undefined;
}

/** How a program ended, and what it wrote. */
export interface ProgramResult {
  /** 128 + n when signal n ended it. */
  readonly exitCode: number;
  readonly stdout: Buffer;
  /** The last 16 KiB. */
  readonly stderr: string;
}

const STDERR_TAIL_BYTES = 16 * 1024;

/**
 * Runs a program to its end and gives what it wrote. A non-zero exit code is a result, not an error.
 *
 * Fails with NOT_FOUND (no such program; it is named), PERMISSION_DENIED, TIMEOUT, ABORTED, or COMMAND_FAILED when it
 * writes more than allowed. In all those cases the program and its process group are gone before the promise settles.
 * Arguments and input never appear in an error.
 */
export async function runProgram(options: RunProgramOptions): Promise<ProgramResult> {
  const { command, args = [], cwd, signal, timeoutMs, maxOutputBytes = 16 * 1024 * 1024, graceMs = 2000 } = options;
  throwIfAborted(signal);
  const { execa } = await import("execa");
  throwIfAborted(signal);
  const ownGroup = options.terminal !== true;
  const child = execa(command, args, {
    env: { ...(options.env ?? process.env) },
    extendEnv: false,
    ...(cwd === undefined ? {} : { cwd }),
    input: options.input ?? "",
    encoding: "buffer",
    stripFinalNewline: false,
    reject: false,
    cleanup: false,
    detached: ownGroup,
    buffer: false,
  });
  if (child.pid === undefined) throw startError({ command, cwd, cause: await child });

  const target = { child: child.nodeChildProcess, ownGroup };
  const forget = trackProgram(target);
  const stdout = collectAll(child.stdout, maxOutputBytes, () => end(tooMuchOutput(command, maxOutputBytes)));
  const stderr = collectTail(child.stderr);
  let ending: { readonly reason: RunnerError; readonly done: Promise<void> } | undefined;
  const end = (reason: RunnerError) => {
    ending ??= { reason, done: endProgram(target, { graceMs, exited: leaderExited }).then(() => closePipes(child)) };
  };
  const leaderExited = new Promise<void>((resolve) => child.nodeChildProcess.once("exit", () => resolve()));
  const onAbort = () => end(abortedError(signal as AbortSignal));
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => end(timeoutError(command, timeoutMs)), timeoutMs);
  try {
    const result = await child;
    await ending?.done;
    if (ending !== undefined) throw ending.reason;
    if (result.exitCode === undefined && result.signal === undefined) throw startError({ command, cwd, cause: result });
    return {
      exitCode: result.exitCode ?? signalExitCode(result.signal ?? ""),
      stdout: stdout(),
      stderr: redact(stderr(), options.secrets ?? []),
    };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    forget();
  }
}

function collectAll(stream: Readable, limitBytes: number, onOverflow: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limitBytes) chunks.push(chunk);
    else onOverflow();
  });
  return () => Buffer.concat(chunks);
}

/** Keeps the end of what the stream gives and lets the rest go. */
function collectTail(stream: Readable): () => string {
  let tail = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]);
    if (tail.length > STDERR_TAIL_BYTES) tail = tail.subarray(tail.length - STDERR_TAIL_BYTES);
  });
  return () => tail.toString("utf8");
}

/** A grandchild that left the group may hold the pipes open for ever; it must not hold us. */
function closePipes(child: { readonly stdin: { destroy(): unknown }; readonly stdout: { destroy(): unknown }; readonly stderr: { destroy(): unknown } }): void {
  child.stdin.destroy();
  child.stdout.destroy();
  child.stderr.destroy();
}

function timeoutError(command: string, timeoutMs: number): RunnerError {
  return new RunnerError("TIMEOUT", `program "${command}" did not end within ${timeoutMs} ms`, {
    hint: "run it by hand to see what it waits for",
    details: { program: command },
  });
}

function tooMuchOutput(command: string, maxOutputBytes: number): RunnerError {
  return new RunnerError("COMMAND_FAILED", `program "${command}" wrote more than ${maxOutputBytes} bytes`, { details: { program: command, maxOutputBytes } });
}
