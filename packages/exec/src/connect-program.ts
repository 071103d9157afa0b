import { abortedError, RunnerError, throwIfAborted, type CallOptions, type ConnectionDiagnostics, type RunnerConnection } from "@anyrunner/core";

import { programCloseReason, programEndText } from "./program-close-reason.ts";
import { openProgramStream, type ProgramFailure, type ProgramStream, type ProgramStreamOptions } from "./program-stream.ts";

/** Which program becomes the connection, and what it says of itself. */
export interface ConnectProgramOptions extends Omit<ProgramStreamOptions, "explainEnd" | "onStandardError"> {
  /** The driver's name, for errors. */
  readonly driver: string;
  /** How messages call it: `socat to /run/engine.sock`. No secrets. Default: the command. */
  readonly label?: string | undefined;
  /** Whether the program passes on the end of its standard input, and the answer still comes. Default true. */
  readonly halfClose?: boolean | undefined;
  /**
   * Says from standard error (its last 4 KiB, asked whenever more of it came) whether the program has reached the far end. Without
   * it the connection is given as soon as the program runs, and a far end that isn't there shows only later.
   */
  readonly isConnected?: ((standardError: string) => boolean) | undefined;
  /** How long `isConnected` may stay false, in ms. Default 10,000. */
  readonly connectBudgetMs?: number | undefined;
  /** Why a program ended that had not connected, or had not said a byte. Default: COMMAND_FAILED with exit code and last line. */
  readonly explain?: ((failure: ProgramFailure) => RunnerError | undefined) | undefined;
}

const CONNECT_BUDGET_MS = 10_000;

/**
 * A connection whose stream is the standard input and output of a program: what a driver's `connect` gives, kind `relay`.
 * `closed` follows the program and resolves although nobody reads; destroying the stream ends the program.
 *
 * Fails with NOT_AVAILABLE when the program is missing, PERMISSION_DENIED, TIMEOUT, ABORTED, or what `explain` gives.
 */
export async function connectProgram(options: ConnectProgramOptions, { signal }: CallOptions = {}): Promise<RunnerConnection> {
  const { driver, label = options.command, halfClose = true, isConnected, connectBudgetMs = CONNECT_BUDGET_MS, explain, ...program } = options;
  throwIfAborted(signal);
  const explainEnd = (failure: ProgramFailure) => explain?.(failure) ?? (failsQuietly(failure) ? undefined : commandFailed(driver, label, failure));
  const connected = Promise.withResolvers<"connected">();
  const opened = await openProgramStream({
    ...program,
    signal,
    explainEnd,
    onStandardError: (text) => {
      if (isConnected?.(text)) connected.resolve("connected");
    },
  }).catch((error: unknown) => Promise.reject(missingProgram(error, driver)));
  const { stream, exited } = opened;
  // The reason is in `closed`; nobody else has to listen.
  stream.on("error", () => {});
  let isOver = false;
  const closed = exited.then((end) => {
    isOver = true;
    return programCloseReason(stream, end, label);
  });
  if (isConnected === undefined) connected.resolve("connected");
  try {
    await waitUntilConnected({ opened, connected: connected.promise, explainEnd, signal, driver, label, budgetMs: connectBudgetMs });
  } catch (error) {
    stream.destroy();
    await exited;
    throw error;
  }
  return { stream, kind: "relay", halfClose, closed, diagnostics: async () => diagnose(opened, label, isOver) };
}

interface ConnectedWait {
  readonly opened: ProgramStream;
  readonly connected: Promise<"connected">;
  readonly explainEnd: (failure: ProgramFailure) => RunnerError | undefined;
  readonly signal: AbortSignal | undefined;
  readonly driver: string;
  readonly label: string;
  readonly budgetMs: number;
}

async function waitUntilConnected({ opened, connected, explainEnd, signal, driver, label, budgetMs }: ConnectedWait): Promise<void> {
  const interrupted = Promise.withResolvers<"aborted" | "late">();
  const abort = () => interrupted.resolve("aborted");
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(() => interrupted.resolve("late"), budgetMs);
  try {
    const outcome = await Promise.race([interrupted.promise, connected, opened.exited]);
    if (signal?.aborted) throw abortedError(signal);
    if (outcome === "connected") return;
    if (outcome === "late" || outcome === "aborted") {
      throw new RunnerError("TIMEOUT", `${label} did not connect within ${budgetMs / 1000} s`, {
        driver,
        retryable: true,
        hint: "check that the far end answers",
      });
    }
    const failure = await opened.ended();
    throw explainEnd(failure) ?? commandFailed(driver, label, failure);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function failsQuietly({ exitCode, signal }: ProgramFailure): boolean {
  return exitCode === 0 || (exitCode === undefined && signal === undefined);
}

/** A program that a driver needs belongs to this machine, not to the runner: NOT_AVAILABLE instead of NOT_FOUND. */
function missingProgram(error: unknown, driver: string): unknown {
  if (!RunnerError.is(error) || error.code !== "NOT_FOUND" || error.details?.["program"] === undefined) return error;
  return new RunnerError("NOT_AVAILABLE", error.message, { hint: error.hint, details: error.details, driver, cause: error.cause });
}

function commandFailed(driver: string, label: string, failure: ProgramFailure): RunnerError {
  const [beforeUsage = ""] = failure.stderr.split(/^Usage:/m);
  const line = (beforeUsage.trim() || failure.stderr.trim()).split("\n").at(-1) ?? "";
  return new RunnerError("COMMAND_FAILED", `${label} ended with ${programEndText(failure)}${line === "" ? "" : `: ${line.slice(0, 300)}`}`, {
    driver,
    hint: "read what it wrote, and call it by hand",
    ...(failure.exitCode !== undefined && { details: { exitCode: failure.exitCode } }),
  });
}

async function diagnose({ pid, ended, stderrTail }: ProgramStream, label: string, isOver: boolean): Promise<ConnectionDiagnostics> {
  const end = isOver ? await ended() : undefined;
  const lastOutput = end?.stderr ?? stderrTail();
  return {
    summary: end === undefined ? `${label} runs (pid ${pid})` : `${label} ended with ${programEndText(end)}`,
    ...(end?.exitCode !== undefined && { exitCode: end.exitCode }),
    ...(lastOutput !== "" && { lastOutput }),
  };
}
