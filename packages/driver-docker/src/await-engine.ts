import { setTimeout as delay } from "node:timers/promises";

import { RunnerError, throwIfAborted, type ProvisionOptions } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import { engineStartError } from "@anyrunner/engine-container";

import { containerName, describeState, findContainer, type ContainerDetails } from "./container.ts";
import { readCacheLoss, type CacheLossOptions } from "./cache-fate.ts";
import { readLastLog } from "./container-log.ts";
import { createHandle } from "./handle.ts";
import { stopContainer } from "./stop-container.ts";

const LOOK_MS = 500;
/** The first restarts may be an engine that waits for what it needs. */
const PATIENCE_RESTARTS = 2;

export interface AwaitEngineOptions extends ProvisionOptions, CacheLossOptions {
  /** Whether this call started it: then what its log says of the cache is told. */
  readonly started: boolean;
}

/**
 * Waits until the engine answers, as `ready` says, but no longer than its container lives. A failure keeps the code of `ready`, or
 * is NOT_RUNNING, with the last lines of the engine's log.
 */
export async function awaitEngine(client: DockerClient, container: ContainerDetails, options: AwaitEngineOptions): Promise<void> {
  const { ready, report, signal } = options;
  if (ready === undefined) return;
  const handle = createHandle(client.endpoint, { id: container.Id, name: containerName(container), labels: container.Config.Labels });
  const over = new AbortController();
  const call = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([ready(handle, { signal: call, report }), failWhenDead(client, container, call)]);
  } catch (error) {
    throwIfAborted(signal);
    const explained = await withLog(client, container, error);
    // Else the daemon would go on starting what can't live.
    if (options.started && RunnerError.is(error) && error.code === "NOT_RUNNING")
      await stopContainer(client, container.Id, { graceMs: 0 }).catch(() => undefined);
    throw explained;
  } finally {
    over.abort();
  }
  if (options.started) await readCacheLoss(client, container, options);
}

/** Rejects when the container ends or keeps being restarted; never resolves. */
async function failWhenDead(client: DockerClient, { Id: id, RestartCount: before = 0 }: ContainerDetails, signal: AbortSignal): Promise<never> {
  for (;;) {
    try {
      await delay(LOOK_MS, undefined, { signal });
    } catch {
      return new Promise<never>(() => undefined);
    }
    const found = await findContainer(client, id, { signal }).catch(() => "unknown" as const);
    if (found === "unknown") continue;
    if (found === undefined) throw new RunnerError("NOT_RUNNING", "it was removed", { driver: "docker" });
    const lives = found.State.Status === "running" || found.State.Status === "restarting";
    if (!lives || (found.RestartCount ?? 0) - before > PATIENCE_RESTARTS)
      throw new RunnerError("NOT_RUNNING", `it ${describeState(found)}`, { driver: "docker" });
  }
}

async function withLog(client: DockerClient, container: ContainerDetails, error: unknown): Promise<unknown> {
  if (!RunnerError.is(error)) return error;
  const log = await readLastLog(client, container, {}).catch(() => "");
  const name = containerName(container);
  return engineStartError(error, { driver: "docker", name, log, logCommand: `docker logs ${name}` });
}
