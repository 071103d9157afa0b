import { RunnerError, throwIfAborted, type ProvisionOptions } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import { engineStartError, readyOrDead, type WatchedContainer } from "@anyrunner/engine-container";

import { containerName, describeState, findContainer, type ContainerDetails } from "./container.ts";
import { readCacheLoss, type CacheLossOptions } from "./cache-fate.ts";
import { readLastLog } from "./container-log.ts";
import { createHandle } from "./handle.ts";
import { stopContainer } from "./stop-container.ts";

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
  try {
    await readyOrDead({
      driver: "docker",
      ready: (call) => ready(handle, { signal: call, report }),
      look: (call) => look(client, container.Id, call),
      restarts: container.RestartCount,
      signal,
    });
  } catch (error) {
    throwIfAborted(signal);
    const explained = await withLog(client, container, error);
    // Else the daemon would go on starting what can't live.
    if (options.started && RunnerError.is(error) && error.code === "NOT_RUNNING")
      await stopContainer(client, container.Id, { graceMs: 0 }).catch(() => undefined);
    throw explained;
  }
  if (options.started) await readCacheLoss(client, container, options);
}

async function look(client: DockerClient, id: string, signal: AbortSignal): Promise<WatchedContainer | undefined> {
  const found = await findContainer(client, id, { signal });
  if (found === undefined) return undefined;
  const lives = found.State.Status === "running" || found.State.Status === "restarting";
  return { lives, restarts: found.RestartCount ?? 0, state: describeState(found) };
}

async function withLog(client: DockerClient, container: ContainerDetails, error: unknown): Promise<unknown> {
  if (!RunnerError.is(error)) return error;
  const log = await readLastLog(client, container, {}).catch(() => "");
  const name = containerName(container);
  return engineStartError(error, { driver: "docker", name, log, logCommand: `docker logs ${name}` });
}
