import { RunnerError, STOP_GRACE_MS, throwIfAborted, type CallOptions, type DestroyOptions, type StopOptions } from "@anyrunner/core/driver";
import { readJson, type DockerClient } from "@anyrunner/docker-endpoint";
import { drainEngine, ENGINE_LABELS, isOwnedCache, isOwnedEngine, type DrainedEngine } from "@anyrunner/engine-container";

import { tellCacheFate } from "./cache-fate.ts";
import { containerName, containerNotFound, findContainer, type ContainerDetails } from "./container.ts";
import { liftDrain, markDraining } from "./drain-mark.ts";
import type { DockerHandle } from "./handle.ts";
import { countLiveSessions } from "./live-sessions.ts";
import { requireFitHost } from "./require-fit-host.ts";
import { shareDiskAmongEngines } from "./share-disk.ts";
import { startContainer } from "./start-container.ts";
import { stopContainer } from "./stop-container.ts";

/**
 * Starts the container, and lets new sessions in again where a stop keeps them away. What doesn't run is preceded by a look at what it needs.
 * Fails with NOT_FOUND, COMMAND_FAILED, and as that look does.
 */
export async function startEngineContainer(client: DockerClient, handle: DockerHandle, options: CallOptions): Promise<void> {
  const { container: id, name } = handle.endpoint;
  const container = await findContainer(client, id, options);
  if (container !== undefined && !isAlive(container)) {
    await requireFitHost(client, { ...options, port: undefined });
    await shareDiskAmongEngines(client, container, options);
  }
  if (container === undefined || !(await startContainer(client, container, options))) throw await containerNotFound(client, name, options);
  await liftDrain(client, container);
}

/**
 * Lets no new session in, waits until those that are there have ended, then ends the engine; each may take `graceMs`. With 0 it is killed at once.
 * Fails with TIMEOUT when sessions are still there, and then leaves it running.
 */
export async function stopEngineContainer(client: DockerClient, handle: DockerHandle, options: StopOptions): Promise<void> {
  const container = await findContainer(client, handle.endpoint.container, options);
  if (container === undefined || !isAlive(container)) return;
  const { graceMs = STOP_GRACE_MS, drainMs = graceMs, report, signal } = options;
  const stop = () => stopContainer(client, container.Id, { graceMs, signal });
  if (graceMs === 0 || container.State.Status !== "running") await stop();
  else await drainEngine(drained(client, container), { drainMs, report, signal, thenStop: stop });
  await tellCacheFate(client, container, options);
}

function drained(client: DockerClient, container: ContainerDetails): DrainedEngine {
  return {
    driver: "docker",
    name: containerName(container),
    async countSessions(call) {
      const current = await findContainer(client, container.Id, call);
      return current === undefined || !isAlive(current) ? "gone" : countLiveSessions(client, current, call);
    },
    async mark(call) {
      throwIfAborted(call.signal);
      return (await markDraining(client, container)) ? () => liftDrain(client, container) : async () => {};
    },
  };
}

/** Stops and removes an engine that we made, and its volume when asked. Fails with UNSUPPORTED for what is not ours. */
export async function destroyEngineContainer(client: DockerClient, handle: DockerHandle, options: DestroyOptions): Promise<void> {
  const container = await findContainer(client, handle.endpoint.container, options);
  if (!handle.owned || (container !== undefined && !isOwnedEngine(container.Config.Labels))) throw notOurs(handle.endpoint.name);
  if (container !== undefined) {
    await stopEngineContainer(client, handle, options);
    await removeContainer(client, container.Id, options);
  }
  const volume = handle.labels[ENGINE_LABELS.volume];
  if (options.volume && volume !== undefined) await removeVolume(client, volume, options);
}

/** Removes a container that is stopped, with its anonymous volumes; one that is gone, or being removed by somebody else, is no failure. */
export async function removeContainer(client: DockerClient, id: string, { signal }: CallOptions): Promise<void> {
  try {
    const { body } = await client.request({ method: "DELETE", path: `/containers/${id}`, query: { v: true }, expect: [404], signal });
    body.resume();
  } catch (error) {
    if (!RunnerError.is(error) || !/removal of container \S+ is already in progress/i.test(error.message)) throw error;
  }
}

async function removeVolume(client: DockerClient, volume: string, { report, signal }: CallOptions): Promise<void> {
  const path = `/volumes/${encodeURIComponent(volume)}`;
  const found = await client.request({ path, expect: [404], signal });
  const { Labels: labels } = await readJson<{ readonly Labels?: Readonly<Record<string, string>> | null }>(found.body);
  if (found.status === 404) return;
  if (!isOwnedCache(labels)) {
    report?.({
      type: "warning",
      id: `volume-${volume}`,
      message: `the volume "${volume}" stays: anyrunner did not make it`,
      hint: `remove it yourself: docker volume rm ${volume}`,
    });
    return;
  }
  const { body } = await client.request({ method: "DELETE", path, expect: [404], signal });
  body.resume();
}

function notOurs(name: string): RunnerError {
  return new RunnerError("UNSUPPORTED", `anyrunner did not make the container "${name}", so it does not remove it`, {
    hint: `remove it yourself: docker rm -f ${name}`,
    driver: "docker",
    details: { container: name },
  });
}

function isAlive({ State: { Status: status } }: ContainerDetails): boolean {
  return status === "running" || status === "restarting" || status === "paused";
}
