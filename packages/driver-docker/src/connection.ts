import { setTimeout as sleep } from "node:timers/promises";

import { RunnerError, signalWithin, watchClose, type CallOptions, type ConnectionDiagnostics, type RunnerConnection } from "@anyrunner/core/driver";
import { createDockerClient, openExecStream, type DockerClient, type ExecStream } from "@anyrunner/docker-endpoint";

import { containerName, containerNotFound, containerNotRunning, describeState, findContainer } from "./container.ts";
import { dialEngineSocket } from "./engine-socket.ts";
import { readLastLog } from "./container-log.ts";
import type { DockerHandle } from "./handle.ts";

/** What an engine's image has for streams over an exec (engine protocol 2.2, 2.3). */
const RELAY_COMMAND = ["buildctl", "dial-stdio"] as const;

const DIAGNOSTICS_BUDGET_MS = 3000;
/** By SIGKILL, as everything in a container that is killed. */
const KILLED = 137;
const SETTLING_LOOKS = 6;
const SETTLING_MS = 150;

export interface ConnectDockerOptions extends CallOptions, OpenClientOptions {}

export interface OpenClientOptions {
  readonly connectBudgetMs?: number | undefined;
  /** The API version that was agreed with this daemon before; saves asking again. */
  readonly apiVersion?: string | undefined;
}

/**
 * Opens one stream to the engine in the container: straight to its socket where that can be reached, else through an exec.
 * Fails with NOT_FOUND, NOT_RUNNING, CONNECTION_REFUSED, PERMISSION_DENIED, ABORTED.
 */
export async function connectContainer(handle: DockerHandle, options: ConnectDockerOptions): Promise<RunnerConnection> {
  const { container, name } = handle.endpoint;
  const client = openClient(handle, options);
  const socket = await dialEngineSocket(client, container, options).catch((error: unknown) => {
    client.close();
    throw error;
  });
  if (socket !== undefined) {
    client.close();
    return { stream: socket, kind: "socket", halfClose: true, closed: watchClose(socket), diagnostics: (call = {}) => diagnose(handle, undefined, call) };
  }
  const exec = await openExecStream(client, {
    container,
    command: RELAY_COMMAND,
    mapStartError: (error) => relayError(error, name),
    onReleased: () => client.close(),
    signal: options.signal,
  }).catch((error: unknown) => explainFailure(error, handle, options));
  return { stream: exec.stream, kind: "relay", halfClose: true, closed: exec.closed, diagnostics: (call = {}) => diagnose(handle, exec, call) };
}

/** A client for the handle's daemon. */
export function openClient(handle: DockerHandle, { connectBudgetMs, apiVersion }: OpenClientOptions = {}): DockerClient {
  return createDockerClient(handle.endpoint.docker, { connectBudgetMs, apiVersion });
}

/** The daemon says in a few words that it can't; the container's state says why. */
async function explainFailure(error: unknown, handle: DockerHandle, options: ConnectDockerOptions): Promise<never> {
  if (!RunnerError.is(error) || (error.code !== "NOT_FOUND" && error.code !== "NOT_RUNNING")) throw error;
  const client = openClient(handle, options);
  try {
    const found = await findContainer(client, handle.endpoint.container, options);
    if (found === undefined) throw await containerNotFound(client, handle.endpoint.name, options);
    // A container that runs again meanwhile was on its way: the daemon's own words, and worth another attempt.
    if (found.State.Status === "running")
      throw new RunnerError(error.code, error.message, { cause: error, hint: "try again", driver: "docker", retryable: true });
    throw containerNotRunning(client.endpoint, found);
  } finally {
    client.close();
  }
}

function relayError(error: RunnerError, name: string): RunnerError {
  if (error.code !== "NOT_FOUND") return error;
  return new RunnerError("WRONG_SERVER", `the container "${name}" has no program "${RELAY_COMMAND[0]}"`, {
    hint: "name a container that runs a Dagger engine's image",
    cause: error,
    driver: "docker",
    details: { container: name, program: RELAY_COMMAND[0] },
  });
}

async function diagnose(handle: DockerHandle, exec: ExecStream | undefined, call: CallOptions): Promise<ConnectionDiagnostics> {
  const client = openClient(handle);
  const signal = signalWithin(DIAGNOSTICS_BUDGET_MS, call.signal);
  const stderr = exec?.stderrTail() ?? "";
  try {
    const relayExitCode = await exec?.exitCode({ client, signal }).catch(() => undefined);
    const container = await findSettled(client, handle.endpoint.container, { signal, relayExitCode });
    if (container === undefined)
      return { summary: `the container "${handle.endpoint.name}" is gone`, ...known({ exitCode: relayExitCode, lastOutput: stderr }) };
    const running = container.State.Status === "running";
    const log = running && stderr !== "" ? "" : await readLastLog(client, container, { signal }).catch(() => "");
    return {
      summary: `the container "${containerName(container)}" ${describeState(container)}`,
      oomKilled: container.State.OOMKilled,
      ...(running && { startedAt: container.State.StartedAt }),
      ...known({ exitCode: running ? relayExitCode : container.State.ExitCode, lastOutput: running ? stderr || log : log || stderr }),
    };
  } catch (error) {
    return { summary: error instanceof Error ? error.message : String(error), ...known({ exitCode: undefined, lastOutput: stderr }) };
  } finally {
    client.close();
  }
}

/** What is killed in a container ends before the daemon knows that the container did. */
async function findSettled(
  client: DockerClient,
  id: string,
  { signal, relayExitCode }: { readonly signal: AbortSignal; readonly relayExitCode: number | undefined },
): ReturnType<typeof findContainer> {
  for (let look = 1; ; look++) {
    const container = await findContainer(client, id, { signal });
    if (relayExitCode !== KILLED || look === SETTLING_LOOKS || container?.State.Status !== "running") return container;
    await sleep(SETTLING_MS, undefined, { signal });
  }
}

function known(facts: { readonly exitCode: number | undefined; readonly lastOutput: string }): Partial<ConnectionDiagnostics> {
  return { ...(facts.exitCode !== undefined && { exitCode: facts.exitCode }), ...(facts.lastOutput !== "" && { lastOutput: facts.lastOutput }) };
}
