import { setTimeout as delay } from "node:timers/promises";

import { abortedError, RunnerError, throwIfAborted, type CallOptions, type DestroyOptions, type StopOptions } from "@anyrunner/core";
import { readJson, type DockerClient } from "@anyrunner/docker-endpoint";
import { ENGINE_LABELS, isOwnedCache, isOwnedEngine } from "@anyrunner/engine-container";

import { tellCacheFate } from "./cache-fate.ts";
import { containerName, containerNotFound, findContainer, type ContainerDetails } from "./container.ts";
import type { DockerHandle } from "./handle.ts";
import { countLiveSessions } from "./live-sessions.ts";
import { startContainer } from "./start-container.ts";
import { stopContainer } from "./stop-container.ts";

/** An engine that is killed before its own five minutes are over discards its cache. */
const GRACE_MS = 600_000;
const DRAIN_LOOK_MS = 1000;

/** Fails with NOT_FOUND, COMMAND_FAILED. */
export async function startEngineContainer(client: DockerClient, handle: DockerHandle, options: CallOptions): Promise<void> {
  const { container: id, name } = handle.endpoint;
  const container = await findContainer(client, id, options);
  if (container === undefined || !(await startContainer(client, container, options))) throw await containerNotFound(client, name, options);
}

/**
 * Waits until no session uses the engine, then ends it; each may take `graceMs`. With 0 it is killed at once.
 * Fails with TIMEOUT when sessions are still there, and then leaves it running.
 */
export async function stopEngineContainer(client: DockerClient, handle: DockerHandle, options: StopOptions): Promise<void> {
  const container = await findContainer(client, handle.endpoint.container, options);
  if (container === undefined || !isAlive(container)) return;
  const graceMs = options.graceMs ?? GRACE_MS;
  if (graceMs > 0 && container.State.Status === "running") await drain(client, container, { ...options, graceMs });
  await stopContainer(client, container.Id, { graceMs, signal: options.signal });
  await tellCacheFate(client, container, options);
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

/** Removes a container that is stopped, with its anonymous volumes; one that is gone is no failure. */
export async function removeContainer(client: DockerClient, id: string, { signal }: CallOptions): Promise<void> {
  const { body } = await client.request({ method: "DELETE", path: `/containers/${id}`, query: { v: true }, expect: [404], signal });
  body.resume();
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

async function drain(client: DockerClient, container: ContainerDetails, options: StopOptions & { readonly graceMs: number }): Promise<void> {
  const name = containerName(container);
  const giveUpAt = performance.now() + options.graceMs;
  let told: string | undefined;
  for (
    let current: ContainerDetails | undefined = container;
    current !== undefined && isAlive(current);
    current = await findContainer(client, container.Id, options)
  ) {
    const live = await countLiveSessions(client, current, options);
    if (live === 0) return;
    const who = live === undefined ? "sessions that can't be counted" : `${live} ${live === 1 ? "session" : "sessions"}`;
    if (told !== who) options.report?.({ type: "progress", id: "engine-drain", message: `waiting for ${who} on the engine "${name}"` });
    told = who;
    if (performance.now() >= giveUpAt) throw stillInUse(name, who, options.graceMs);
    await pause(DRAIN_LOOK_MS, options.signal);
  }
}

function stillInUse(name: string, who: string, graceMs: number): RunnerError {
  return new RunnerError("TIMEOUT", `the engine "${name}" is still in use by ${who} after ${Math.round(graceMs / 1000)} s, and goes on running`, {
    hint: "wait longer, or stop it by force, which ends them and discards the cache",
    driver: "docker",
    details: { container: name },
  });
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

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    throwIfAborted(signal);
    throw signal === undefined ? error : abortedError(signal);
  }
}
