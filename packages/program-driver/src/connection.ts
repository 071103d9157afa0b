import {
  redact,
  RunnerError,
  throwIfAborted,
  watchClose,
  type CallOptions,
  type CloseReason,
  type ConnectionDiagnostics,
  type RunnerConnection,
  type RunnerState,
} from "@anyrunner/core/driver";
import { createRelayStream, programCloseReason, programEndText, type ProgramEnd, type ProgramStream } from "@anyrunner/exec";

import { dialAddress, type LocalAddress } from "./dial-address.ts";
import { leave, openCall, type CallProgram } from "./open-call.ts";
import { shownTail, type ProgramVoice } from "./program-error.ts";

export interface ConnectThrough {
  /** What a connection says when the program doesn't. */
  readonly halfClose: boolean;
  readonly inspect?: ((options: CallOptions) => Promise<RunnerState>) | undefined;
  /** Where the engines behind handles listen themselves, as the program has said; nobody needs to ask it again as long as that can be dialled. */
  readonly engines: WeakMap<object, EngineAddress>;
}

export interface EngineAddress {
  readonly address: LocalAddress;
  readonly halfClose: boolean;
}

const INSPECT_BUDGET_MS = 3000;

/** One byte stream: the program's own standard input and output, or an address of this machine that the program names. */
export async function connectThroughProgram(call: CallProgram<"connect">, through: ConnectThrough): Promise<RunnerConnection> {
  return (await dialEngine(call, through)) ?? (await askProgram(call, through));
}

/** A connection to what the program has named before; `undefined` where that is unknown, or can't be dialled any more. Fails with ABORTED. */
async function dialEngine(call: CallProgram<"connect">, through: ConnectThrough): Promise<RunnerConnection | undefined> {
  const { handle } = call.request;
  const engine = through.engines.get(handle);
  if (engine === undefined) return undefined;
  try {
    const stream = await dialAddress(engine.address, call);
    return { stream, kind: "socket", halfClose: engine.halfClose, closed: watchClose(stream), diagnostics: () => diagnose(undefined, call.voice, through) };
  } catch {
    throwIfAborted(call.options.signal);
    through.engines.delete(handle);
    return undefined;
  }
}

async function askProgram(call: CallProgram<"connect">, through: ConnectThrough): Promise<RunnerConnection> {
  const { program, result } = await openCall(call);
  const halfClose = result.halfClose ?? through.halfClose;
  const ended = endOf(program);
  const diagnostics = () => diagnose({ program, ended }, call.voice, through);
  if (result.via === "stdio") {
    const closed = program.exited.then((found) => redactReason(programCloseReason(program.stream, found, `the driver ${call.voice.command}`), call.voice));
    return { stream: program.stream, kind: "relay", halfClose, closed, diagnostics };
  }
  // What it still writes is for nobody; a full pipe must not hold it.
  program.stream.resume();
  try {
    const { kind = "relay" } = result;
    const socket = await dialAddress(result, call);
    if (result.via === "unix" && kind === "socket") through.engines.set(call.request.handle, { address: result, halfClose });
    const stream = kind === "relay" ? createRelayStream({ output: socket, input: socket }) : socket;
    const closed = watchClose(stream);
    void closed.then(() => leave(program));
    return { stream, kind, halfClose, closed, diagnostics };
  } catch (error) {
    program.stream.destroy();
    await program.exited;
    throw error;
  }
}

/** How the program has ended, if it has. */
function endOf({ exited }: ProgramStream): () => ProgramEnd | undefined {
  let end: ProgramEnd | undefined;
  void exited.then((found) => (end = found));
  return () => end;
}

function redactReason(reason: CloseReason, { hidden }: ProgramVoice): CloseReason {
  if (reason.error === undefined || hidden.length === 0) return reason;
  return { kind: reason.kind, error: new RunnerError("CONNECTION_LOST", redact(reason.error.message, hidden)) };
}

interface AskedProgram {
  readonly program: ProgramStream;
  readonly ended: () => ProgramEnd | undefined;
}

async function diagnose(asked: AskedProgram | undefined, voice: ProgramVoice, { inspect }: ConnectThrough): Promise<ConnectionDiagnostics> {
  const state = await inspect?.({ signal: AbortSignal.timeout(INSPECT_BUDGET_MS) }).catch(() => undefined);
  const relay = asked === undefined ? undefined : await relayFacts(asked, voice);
  const summary = [state === undefined ? undefined : `the runner is ${state.status}`, relay?.summary].filter((part) => part !== undefined).join("; ");
  const exitCode = state?.exitCode ?? relay?.exitCode;
  return {
    ...(summary !== "" && { summary: redact(summary, voice.hidden) }),
    ...(state?.startedAt !== undefined && { startedAt: state.startedAt }),
    ...(exitCode !== undefined && { exitCode }),
    ...(state?.oomKilled !== undefined && { oomKilled: state.oomKilled }),
    ...(relay !== undefined && relay.lastOutput !== "" && { lastOutput: relay.lastOutput }),
  };
}

async function relayFacts({ program, ended }: AskedProgram, { command, hidden }: ProgramVoice) {
  const found = ended() === undefined ? undefined : await program.ended();
  return {
    summary: found === undefined ? `the driver ${command} runs (pid ${program.pid})` : `the driver ${command} ended with ${programEndText(found)}`,
    exitCode: found?.exitCode,
    lastOutput: shownTail(found?.stderr ?? program.stderrTail(), hidden),
  };
}
