import { RunnerError, signalWithin, throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import { openExecStream, readText, type DockerClient } from "@anyrunner/docker-endpoint";
import { countSessions, enginePort, LIVE_SESSIONS_SCRIPT } from "@anyrunner/engine-container";

import type { ContainerDetails } from "./container.ts";

const BUDGET_MS = 10_000;
const OUTPUT_BYTES = 4 * 1024 * 1024;

/**
 * How many sessions use a running engine: by its own metric, else by connections to its sockets, else by execs.
 * `undefined` when it can't be known, which counts as live. Fails only with ABORTED.
 */
export async function countLiveSessions(client: DockerClient, container: ContainerDetails, { signal }: CallOptions): Promise<number | undefined> {
  throwIfAborted(signal);
  const execs = await countRunningExecs(client, container, signal);
  const looked = await look(client, container, signal);
  throwIfAborted(signal);
  const counted = looked === undefined ? undefined : countSessions(looked, enginePort(container.Config.Cmd));
  if (counted !== undefined) return counted;
  // Without the tables nothing tells who comes by a published port.
  return enginePort(container.Config.Cmd) === undefined ? execs : undefined;
}

async function countRunningExecs(client: DockerClient, { ExecIDs: ids }: ContainerDetails, signal: AbortSignal | undefined): Promise<number | undefined> {
  try {
    const states = await Promise.all((ids ?? []).map((id) => isRunning(client, id, signal)));
    return states.filter(Boolean).length;
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}

async function isRunning(client: DockerClient, id: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    return (await client.json<{ readonly Running: boolean }>({ path: `/exec/${id}/json`, signal })).Running;
  } catch (error) {
    if (RunnerError.is(error) && error.code === "NOT_FOUND") return false;
    throw error;
  }
}

async function look(client: DockerClient, container: ContainerDetails, signal: AbortSignal | undefined): Promise<string | undefined> {
  const call = signalWithin(BUDGET_MS, signal);
  try {
    const exec = await openExecStream(client, { container: container.Id, command: ["sh", "-c", LIVE_SESSIONS_SCRIPT], signal: call });
    exec.stream.end();
    const text = await readText(exec.stream, { limitBytes: OUTPUT_BYTES });
    exec.stream.destroy();
    await exec.released;
    return text;
  } catch {
    return undefined;
  }
}
