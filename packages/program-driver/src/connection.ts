import type { Duplex } from "node:stream";

import {
  redact,
  RunnerError,
  type CallOptions,
  type CloseReason,
  type ConnectionDiagnostics,
  type RunnerConnection,
  type RunnerState,
} from "@anyrunner/core/driver";
import { createRelayStream, programCloseReason, programEndText, type ProgramEnd, type ProgramStream } from "@anyrunner/exec";

import { dialAddress } from "./dial-address.ts";
import { leave, openCall, type CallProgram } from "./open-call.ts";
import { shownTail, type ProgramVoice } from "./program-error.ts";

export interface ConnectThrough {
  /** What a connection says when the program doesn't. */
  readonly halfClose: boolean;
  readonly inspect?: ((options: CallOptions) => Promise<RunnerState>) | undefined;
}

const INSPECT_BUDGET_MS = 3000;

/** One byte stream: the program's own standard input and output, or an address of this machine that the program names. */
export async function connectThroughProgram(call: CallProgram<"connect">, through: ConnectThrough): Promise<RunnerConnection> {
  const { program, result } = await openCall(call);
  const halfClose = result.halfClose ?? through.halfClose;
  let end: ProgramEnd | undefined;
  void program.exited.then((found) => (end = found));
  const diagnostics = () => diagnose(program, () => end, call.voice, through);
  if (result.via === "stdio") {
    const closed = program.exited.then((found) => redactReason(programCloseReason(program.stream, found, `the driver ${call.voice.command}`), call.voice));
    return { stream: program.stream, kind: "relay", halfClose, closed, diagnostics };
  }
  // What it still writes is for nobody; a full pipe must not hold it.
  program.stream.resume();
  try {
    const { kind = "relay" } = result;
    const socket = await dialAddress(result, call);
    const stream = kind === "relay" ? createRelayStream({ output: socket, input: socket }) : socket;
    const closed = closeOf(stream);
    void closed.then(() => leave(program));
    return { stream, kind, halfClose, closed, diagnostics };
  } catch (error) {
    program.stream.destroy();
    await program.exited;
    throw error;
  }
}

function closeOf(stream: Duplex): Promise<CloseReason> {
  return new Promise((resolve) => {
    let failure: Error | undefined;
    let hasEnded = false;
    stream.on("error", (error: Error) => (failure ??= error));
    stream.once("end", () => (hasEnded = true));
    stream.once("close", () => {
      if (failure !== undefined) resolve({ kind: "error", error: failure });
      else resolve({ kind: hasEnded ? "end" : "local" });
    });
  });
}

function redactReason(reason: CloseReason, { hidden }: ProgramVoice): CloseReason {
  if (reason.error === undefined || hidden.length === 0) return reason;
  return { kind: reason.kind, error: new RunnerError("CONNECTION_LOST", redact(reason.error.message, hidden)) };
}

async function diagnose(
  program: ProgramStream,
  end: () => ProgramEnd | undefined,
  { command, hidden }: ProgramVoice,
  { inspect }: ConnectThrough,
): Promise<ConnectionDiagnostics> {
  const state = await inspect?.({ signal: AbortSignal.timeout(INSPECT_BUDGET_MS) }).catch(() => undefined);
  const found = end() === undefined ? undefined : await program.ended();
  const lastOutput = shownTail(found?.stderr ?? program.stderrTail(), hidden);
  const exitCode = state?.exitCode ?? found?.exitCode;
  const relay = found === undefined ? `the driver ${command} runs (pid ${program.pid})` : `the driver ${command} ended with ${programEndText(found)}`;
  return {
    summary: redact(state === undefined ? relay : `the runner is ${state.status}; ${relay}`, hidden),
    ...(state?.startedAt !== undefined && { startedAt: state.startedAt }),
    ...(exitCode !== undefined && { exitCode }),
    ...(state?.oomKilled !== undefined && { oomKilled: state.oomKilled }),
    ...(lastOutput !== "" && { lastOutput }),
  };
}
