import {
  RunnerError,
  signalWithin,
  watchClose,
  type CallOptions,
  type CloseReason,
  type ConnectionDiagnostics,
  type RunnerConnection,
} from "@anyrunner/core/driver";
import type { ProgramFailure, ProgramStream } from "@anyrunner/exec";

import { cliWords, commandFailure, knownFailure } from "./command-failure.ts";
import { containerNotFound, containerNotRunning, findContainer } from "./container.ts";
import type { ContainerCli } from "./container-cli.ts";
import { describeState, isAlive, type ContainerDetails } from "./container-details.ts";
import { readLastLog } from "./container-log.ts";
import type { ContainerHandle } from "./handle.ts";
import { CONTAINER_STOPPED, NO_CONTAINER, NO_PROGRAM } from "./known-failure.ts";
import { findContainerTogether } from "./look-together.ts";

/** What an engine's image has for streams over an exec (engine protocol 2.2, 2.3). */
const RELAY_COMMAND = ["buildctl", "dial-stdio"] as const;

const DIAGNOSTICS_BUDGET_MS = 3000;
const LAST_OUTPUT_BYTES = 4096;
const LAST_LINES = 30;

/**
 * Opens one stream through an exec by the runtime's CLI. Fails with NOT_FOUND, NOT_RUNNING, NOT_AVAILABLE, ABORTED and what the
 * runtime's table knows. An exec says only late that it can't, so the container is looked at meanwhile.
 */
export async function connectContainer(cli: ContainerCli, handle: ContainerHandle, options: CallOptions): Promise<RunnerConnection> {
  const { container, name } = handle.endpoint;
  const args = cli.runtime.grammar.exec(container, RELAY_COMMAND);
  const opening = cli.openStream(args, { signal: options.signal, explainEnd: (failure) => relayFailure(cli, name, failure) }).then(watch);
  const [opened, looked] = await Promise.allSettled([opening, requireRunning(cli, handle, options)]);
  if (opened.status === "rejected") throw opened.reason;
  const { program, closed } = opened.value;
  // The state of the container says more than the CLI that could not reach it.
  const failure: unknown = looked.status === "rejected" ? looked.reason : program.stream.errored;
  if (failure === null || failure === undefined) {
    return { stream: program.stream, kind: "relay", halfClose: true, closed, diagnostics: (call = {}) => diagnose(cli, handle, program, call) };
  }
  program.stream.destroy();
  await closed;
  throw RunnerError.from(failure, "CONNECTION_LOST", { driver: cli.runtime.name });
}

interface WatchedProgram {
  readonly program: ProgramStream;
  readonly closed: Promise<CloseReason>;
}

/** From its first moment, since it may break before anyone else listens. */
function watch(program: ProgramStream): WatchedProgram {
  return { program, closed: watchClose(program.stream) };
}

async function requireRunning(cli: ContainerCli, handle: ContainerHandle, options: CallOptions): Promise<void> {
  const { container, name } = handle.endpoint;
  const found = await findContainerTogether(cli, container, options);
  if (found === undefined) throw await containerNotFound(cli, name, options);
  if (found.state !== "running") throw containerNotRunning(cli, found);
}

/** Why a CLI ended before the relay said a word; `undefined` when the relay itself did. */
function relayFailure(cli: ContainerCli, name: string, { exitCode, stderr }: ProgramFailure): RunnerError | undefined {
  const result = { exitCode: exitCode ?? 1, stdout: "", stderr };
  const { name: driver } = cli.runtime;
  const details = { container: name, exitCode: result.exitCode, output: cliWords(stderr) };
  if (exitCode === 0) return undefined;
  if (knownFailure(cli.runtime, result) !== undefined) return commandFailure(cli, result, `reach the container "${name}"`);
  if (NO_CONTAINER.test(stderr))
    return new RunnerError("NOT_FOUND", `the container "${name}" is gone`, { hint: `\`${cli.shown} ps -a\` lists the containers`, driver, details });
  if (CONTAINER_STOPPED.test(stderr)) {
    return new RunnerError("NOT_RUNNING", `the container "${name}" has stopped`, { hint: `start it: ${cli.shown} start ${name}`, driver, details });
  }
  if (NO_PROGRAM.test(stderr) && stderr.includes(RELAY_COMMAND[0])) {
    return new RunnerError("WRONG_SERVER", `the container "${name}" has no program "${RELAY_COMMAND[0]}"`, {
      hint: "name a container that runs a Dagger engine's image",
      driver,
      details: { ...details, program: RELAY_COMMAND[0] },
    });
  }
  return undefined;
}

async function diagnose(cli: ContainerCli, handle: ContainerHandle, program: ProgramStream, call: CallOptions): Promise<ConnectionDiagnostics> {
  const signal = signalWithin(DIAGNOSTICS_BUDGET_MS, call.signal);
  const stderr = program.stderrTail();
  const relayExitCode = program.stream.closed ? (await program.exited).exitCode : undefined;
  try {
    const container = await findContainer(cli, handle.endpoint.container, { signal });
    if (container === undefined)
      return { summary: `the container "${handle.endpoint.name}" is gone`, ...known({ exitCode: relayExitCode, lastOutput: stderr }) };
    const alive = isAlive(container);
    const log = alive && stderr !== "" ? "" : await lastLog(cli, container, signal);
    return {
      summary: `the container "${container.name}" ${describeState(container)}`,
      ...(container.oomKilled !== undefined && { oomKilled: container.oomKilled }),
      ...(alive && container.startedAt !== undefined && { startedAt: container.startedAt }),
      ...known({ exitCode: alive ? relayExitCode : (container.exitCode ?? relayExitCode), lastOutput: alive ? stderr || log : log || stderr }),
    };
  } catch (error) {
    return { summary: error instanceof Error ? error.message : String(error), ...known({ exitCode: relayExitCode, lastOutput: stderr }) };
  }
}

async function lastLog(cli: ContainerCli, container: ContainerDetails, signal: AbortSignal): Promise<string> {
  return readLastLog(cli, container.id, { lines: LAST_LINES, bytes: LAST_OUTPUT_BYTES, signal }).catch(() => "");
}

function known(facts: { readonly exitCode: number | undefined; readonly lastOutput: string }): Partial<ConnectionDiagnostics> {
  return { ...(facts.exitCode !== undefined && { exitCode: facts.exitCode }), ...(facts.lastOutput !== "" && { lastOutput: facts.lastOutput }) };
}
