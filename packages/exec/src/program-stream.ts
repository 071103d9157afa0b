import type { Duplex, Readable, Writable } from "node:stream";

import { withinBudget } from "@anyrunner/core";

import { createRelayStream } from "./relay-stream.ts";
import { spawnProgram, type ProgramEnd, type SpawnProgramOptions } from "./spawn-program.ts";

/** Which program becomes the stream. */
export interface ProgramStreamOptions extends Omit<SpawnProgramOptions, "stdio" | "terminal"> {
  /** How many written bytes may wait for the program before writes wait, too. Default 4 MiB. */
  readonly queueBytes?: number | undefined;
  /** Asked when the output ends before a byte of it came: the error that it gives breaks the stream, instead of a quiet end. */
  readonly explainEnd?: ((failure: ProgramFailure) => Error | undefined) | undefined;
  /** Gets the last 4 KiB of standard error whenever more of it came. */
  readonly onStandardError?: ((tail: string) => void) | undefined;
}

/** How a program ended, and what it said about it. Neither code nor signal: it closed its output and still runs. */
export interface ProgramFailure extends ProgramEnd {
  /** The last 4 KiB of standard error. */
  readonly stderr: string;
}

/** A program whose standard input and output are one byte stream. */
export interface ProgramStream {
  readonly pid: number;
  /**
   * Reads standard output, writes standard input; `end()` closes standard input and the rest of the output still comes.
   * Writes are acknowledged at once while the queue has room, since a program that copies both directions in one thread
   * would deadlock HTTP/2 otherwise. A program that closed its output has a moment to end by itself. `destroy()` ends the
   * program, with SIGKILL after the grace.
   */
  readonly stream: Duplex;
  /** Resolves when the program has ended; never rejects. */
  readonly exited: Promise<ProgramEnd>;
  /** Signals the program and everything that it started, also after its own end. False when nothing is left. */
  kill(signal: NodeJS.Signals): boolean;
  /** The last 4 KiB of standard error. */
  stderrTail(): string;
  /** How it ended, once all of its standard error is here. */
  ended(): Promise<ProgramFailure>;
}

const STDERR_BYTES = 4096;
/** How long a program that closed its output may take to end, and its standard error to arrive, before nobody waits for them. */
const END_BUDGET_MS = 2000;
/** How long a program that closed its output is left alone: one that is about to end does so with its own exit code. */
const OWN_END_MS = 100;

/** Starts a program and talks to it. Fails as `spawnProgram` does. After that, `signal` has no effect: destroy the stream. */
export async function openProgramStream(options: ProgramStreamOptions): Promise<ProgramStream> {
  const { queueBytes, explainEnd, onStandardError, signal, ...program } = options;
  const child = await spawnProgram({ ...program, stdio: "pipe" });
  if (signal?.aborted) await child.end();
  const { stdin, stdout, stderr } = child as { readonly stdin: Writable; readonly stdout: Readable; readonly stderr: Readable };

  let tail: Buffer = Buffer.alloc(0);
  stderr.on("data", (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-STDERR_BYTES);
    onStandardError?.(tail.toString("utf8"));
  });

  const ended = async (budgetMs?: number) => ({ ...(await ending(child.exited, stderr, budgetMs)), stderr: tail.toString("utf8") });
  const explain = async () => explainEnd?.(await ended(END_BUDGET_MS));
  const stream = createRelayStream({
    output: stdout,
    input: stdin,
    queueBytes,
    explainEnd: (hadBytes) => (hadBytes || explainEnd === undefined ? undefined : explain()),
    async release() {
      // A stream that was not cut off ends as its program does, with its own exit code.
      if (stdout.readableEnded) await withinBudget(OWN_END_MS, child.exited);
      await child.end();
      void letGo(stderr);
    },
  });
  return { pid: child.pid, stream, exited: child.exited, kill: child.kill, stderrTail: () => tail.toString("utf8"), ended: () => ended() };
}

/** Waits for the end of the program, at most `budgetMs`, and then for its standard error, which something else may hold open. */
async function ending(exited: Promise<ProgramEnd>, stderr: Readable, budgetMs?: number): Promise<ProgramEnd> {
  const end = budgetMs === undefined ? await exited : await withinBudget(budgetMs, exited);
  if (end !== undefined && !stderr.closed) await withinBudget(END_BUDGET_MS, new Promise<void>((resolve) => stderr.once("close", resolve)));
  return end ?? { exitCode: undefined, signal: undefined };
}

/** What left the program's group may hold its standard error open for ever; it must not hold us. */
async function letGo(stderr: Readable): Promise<void> {
  if (!stderr.closed) await withinBudget(END_BUDGET_MS, new Promise<void>((resolve) => stderr.once("close", resolve)));
  stderr.destroy();
}
