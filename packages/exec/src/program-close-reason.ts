import type { Duplex } from "node:stream";

import { RunnerError, type CloseReason } from "@anyrunner/core";

import type { ProgramEnd } from "./spawn-program.ts";

/** A program that `destroy` ended says one of these if it catches the signal. */
const EXIT_CODES_OF_OUR_END = new Set([0, 130, 143]);

/** Why a connection is over whose stream is a program, once the program has ended. `label` begins the sentence of an error. */
export function programCloseReason(stream: Duplex, end: ProgramEnd, label: string): CloseReason {
  if (stream.errored !== null) return { kind: "error", error: stream.errored };
  const ended = stream.destroyed && (end.signal !== undefined || EXIT_CODES_OF_OUR_END.has(end.exitCode ?? -1));
  if (stream.destroyed && !stream.readableEnded) return { kind: "local" };
  if (end.exitCode === 0 || ended) return { kind: "end" };
  return { kind: "error", error: new RunnerError("CONNECTION_LOST", `${label} ended with ${programEndText(end)}`) };
}

/** `exit code 3`, `signal SIGKILL`. */
export function programEndText({ exitCode, signal }: ProgramEnd): string {
  return exitCode === undefined ? `signal ${signal ?? "unknown"}` : `exit code ${exitCode}`;
}
