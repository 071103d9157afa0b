import { setImmediate as nextTurn } from "node:timers/promises";

import { abortedError, throwIfAborted, withinBudget, redactValue, type CallOptions, type RunnerEvent } from "@anyrunner/core/driver";
import { MAX_LINE_BYTES, parseProgramLine, type DriverRequest, type DriverResult, type DriverVerb, type ProgramSecrets } from "@anyrunner/core/driver-protocol";
import { openProgramStream, programEndText, type ProgramStream } from "@anyrunner/exec";

import { answeredError, brokenProtocol, outOfBudget, otherVersion, startFailure, type ProgramVoice } from "./program-error.ts";
import { verbBudgetMs, type ProgramSettings } from "./program-settings.ts";
import { readLine, TOO_LONG } from "./read-line.ts";

export interface CallProgram<Verb extends DriverVerb> {
  readonly settings: ProgramSettings;
  readonly verb: Verb;
  readonly request: RequestPart<Verb>;
  readonly secrets?: ProgramSecrets | undefined;
  readonly voice: ProgramVoice;
  readonly options: CallOptions;
  /** Besides the verb's own budget. Default 0. */
  readonly extraBudgetMs?: number | undefined;
}

/** A request but for its verb, its budget and what is secret. */
export type RequestPart<Verb extends DriverVerb> = Omit<DriverRequest<Verb>, "verb" | "budgetMs" | "secrets">;

/** A program that has answered, and still has its streams. */
export interface OpenCall<Verb extends DriverVerb> {
  readonly program: ProgramStream;
  readonly result: DriverResult<Verb>;
}

/** How long a program that has answered may take to end by itself, in ms, before it is told to. */
const LEAVE_MS = 1000;
/** Progress is worth no more than this; what comes after it is read and dropped. */
const MAX_EVENTS = 10_000;
/** Whoever waits for the program's end to explain a missing answer doesn't wait for one that only closed its output. */
const EXPLAIN_MS = 500;

/** Calls a verb and waits until the program, and what it left in its process group, is gone. Fails as `openCall` does. */
export async function callProgram<Verb extends DriverVerb>(call: CallProgram<Verb>): Promise<DriverResult<Verb>> {
  const { program, result } = await openCall(call);
  await leave(program);
  return result;
}

/**
 * Starts the program, writes the request and reads lines until the answer. Standard input stays open. When it fails, the program is gone.
 * Fails with what the program answers, DRIVER_INVALID, SPEC_MISMATCH, TIMEOUT, NOT_AVAILABLE (no such program), PERMISSION_DENIED, ABORTED.
 */
export async function openCall<Verb extends DriverVerb>(call: CallProgram<Verb>): Promise<OpenCall<Verb>> {
  const { settings, verb, request, secrets, voice, extraBudgetMs = 0 } = call;
  const { signal } = call.options;
  throwIfAborted(signal);
  const budgetMs = verbBudgetMs(settings, verb) + extraBudgetMs;
  const program = await openProgramStream({
    command: settings.command,
    args: [...(settings.args ?? []), verb],
    env: settings.env,
    cwd: settings.cwd,
  }).catch((error: unknown) => Promise.reject(startFailure(error, voice)));
  const { stream } = program;
  // How it ended says more than a broken pipe.
  stream.on("error", () => {});
  // What it started doesn't outlive it, unless it has left the process group.
  void program.exited.then(() => program.kill("SIGKILL"));
  let isLate = false;
  const onAbort = () => stream.destroy();
  const timer = setTimeout(() => {
    isLate = true;
    stream.destroy();
  }, budgetMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    throwIfAborted(signal);
    stream.write(`${JSON.stringify({ verb, budgetMs, ...request, secrets })}\n`);
    return { program, result: await readAnswer(call, program) };
  } catch (error) {
    stream.destroy();
    await program.exited;
    if (signal?.aborted) throw abortedError(signal);
    throw isLate ? outOfBudget(verb, budgetMs, voice, program.stderrTail()) : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Ends a program that has said what was asked: by the end of its input, and by signals when that isn't enough. */
export async function leave({ stream, exited }: ProgramStream): Promise<void> {
  stream.end();
  stream.resume();
  await withinBudget(LEAVE_MS, exited);
  const closed = stream.closed ? undefined : new Promise<void>((resolve) => stream.once("close", resolve));
  stream.destroy();
  await Promise.all([closed, exited]);
  // The process's own handle goes one turn later.
  await nextTurn();
}

async function readAnswer<Verb extends DriverVerb>({ verb, voice, options }: CallProgram<Verb>, program: ProgramStream): Promise<DriverResult<Verb>> {
  for (let events = 0; ;) {
    const line = await readLine(program.stream, MAX_LINE_BYTES);
    if (line === undefined) throw await noAnswer(verb, voice, program);
    if (line === TOO_LONG) throw brokenProtocol(`answers ${verb} with a line that is longer than ${MAX_LINE_BYTES} bytes`, voice);
    const parsed = parseProgramLine(verb, line);
    switch (parsed.kind) {
      case "result":
        return parsed.result;
      case "error":
        throw answeredError(parsed.error, voice);
      case "problem":
        throw parsed.isVersion === true
          ? otherVersion(parsed.problem, voice)
          : brokenProtocol(`gives an answer to ${verb} that ${parsed.problem}`, voice, program.stderrTail());
      case "event":
        if (events++ < MAX_EVENTS) options.report?.(redactValue(parsed.event as RunnerEvent, voice.hidden));
    }
  }
}

async function noAnswer(verb: string, voice: ProgramVoice, program: ProgramStream) {
  const end = await withinBudget(EXPLAIN_MS, program.ended());
  return brokenProtocol(
    end === undefined ? `closed its output before it answered ${verb}` : `ended with ${programEndText(end)} before it answered ${verb}`,
    voice,
    program.stderrTail(),
  );
}
