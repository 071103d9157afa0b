import { RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import { mayRemove, surplusEngines } from "@anyrunner/engine-container";

import { findContainer } from "./container.ts";
import { createHandle } from "./handle.ts";
import { destroyEngineContainer } from "./lifecycle.ts";
import { listOwnEngines, type ListedEngine } from "./list-engines.ts";
import { countLiveSessions } from "./live-sessions.ts";

/** Removes our engines that nobody uses, but for `keep`; their volumes stay. One that resists is a warning. Fails only with ABORTED. */
export async function cleanUpEngines(client: DockerClient, keep: string, options: CallOptions): Promise<void> {
  try {
    for (const engine of await listOwnEngines(client, options)) {
      if (engine.name !== keep) await removeIdle(client, engine, keep, options);
    }
  } catch (error) {
    warn("engines", error, options);
  }
}

/**
 * Removes what lies beyond the engines of an image's repository that were used last: those that don't run, since stopping one takes
 * long. Their volumes stay. One that resists is a warning. Fails only with ABORTED.
 */
export async function keepLatestEngines(client: DockerClient, own: string, options: KeepOptions): Promise<void> {
  const { image, keep, env } = options;
  try {
    const engines = await listOwnEngines(client, options);
    if (engines.length <= keep) return;
    const { openEngineUses } = await import("@anyrunner/config");
    const uses = await openEngineUses({ env }).lastUses("docker");
    const surplus = surplusEngines(engines, { own, image, keep, lastUse: ({ id }) => uses.get(id) });
    for (const engine of surplus) if (!engine.running) await removeIdle(client, engine, own, options);
  } catch (error) {
    warn("engines", error, options);
  }
}

export interface KeepOptions extends CallOptions {
  readonly image: string;
  /** How many. */
  readonly keep: number;
  /** Says where the user's state is. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

async function removeIdle(client: DockerClient, engine: ListedEngine, keep: string, options: CallOptions): Promise<void> {
  try {
    const container = await findContainer(client, engine.id, options);
    if (container === undefined) return;
    const sessions = engine.running ? await countLiveSessions(client, container, options) : 0;
    if (!mayRemove(engine, { keep, live: sessions === undefined ? undefined : sessions > 0 }).allowed) return;
    options.report?.({ type: "progress", id: "engine-cleanup", message: `removing the engine "${engine.name}", which nobody uses` });
    await destroyEngineContainer(client, createHandle(client.endpoint, engine), options);
  } catch (error) {
    warn(`the engine "${engine.name}"`, error, options);
  }
}

function warn(what: string, error: unknown, { report, signal }: CallOptions): void {
  throwIfAborted(signal);
  if (!RunnerError.is(error)) throw error;
  report?.({ type: "warning", id: "engine-cleanup", message: `${what} could not be cleaned up: ${error.message}`, hint: error.hint });
}
