import { setTimeout as delay } from "node:timers/promises";

import { RunnerError, throwIfAborted, type ProvisionOptions } from "@anyrunner/core/driver";
import { engineStartError, readyOrDead, type WatchedContainer } from "@anyrunner/engine-container";

import { tellCacheLoss } from "./cache-fate.ts";
import { findContainer } from "./container.ts";
import type { ContainerCli } from "./container-cli.ts";
import { describeState, isAlive, type ContainerDetails } from "./container-details.ts";
import { readLastLog } from "./container-log.ts";
import { createHandle } from "./handle.ts";

const STOP_ATTEMPTS = 5;
/** A runtime that restarts a container does so within a moment. */
const SETTLE_MS = 500;
const LOG_LINES = 50;
const LOG_BYTES = 4096;

export interface AwaitEngineOptions extends ProvisionOptions {
  /** Whether this call started it: then what its log says of the cache is told. */
  readonly started: boolean;
}

/**
 * Waits until the engine answers, as `ready` says, but no longer than its container lives. A failure keeps the code of `ready`, or
 * is NOT_RUNNING, with the last lines of the engine's log.
 */
export async function awaitEngine(cli: ContainerCli, container: ContainerDetails, options: AwaitEngineOptions): Promise<void> {
  const { ready, report, signal } = options;
  if (ready === undefined) return;
  try {
    await readyOrDead({
      driver: cli.runtime.name,
      ready: (call) => ready(createHandle(cli, container), { signal: call, report }),
      look: (call) => look(cli, container.id, call),
      restarts: container.restarts,
      signal,
    });
  } catch (error) {
    throwIfAborted(signal);
    const explained = await withLog(cli, container, error);
    // Else the runtime would go on starting what can't live.
    if (options.started && RunnerError.is(error) && error.code === "NOT_RUNNING") await end(cli, container);
    throw explained;
  }
  if (options.started) await tellCacheLoss(cli, container, options);
}

/** A stop that comes while nothing runs, between two restarts, is none. */
async function end(cli: ContainerCli, { id, name }: ContainerDetails): Promise<void> {
  for (let attempt = 1; attempt <= STOP_ATTEMPTS; attempt++) {
    const result = await cli.attempt(cli.runtime.grammar.stop(id, { seconds: 0 }), { doing: `stop the container "${name}"` }).catch(() => undefined);
    if (result?.exitCode !== 0) return;
    await delay(SETTLE_MS);
    const found = await findContainer(cli, id, {}).catch(() => undefined);
    if (found === undefined || !isAlive(found)) return;
  }
}

async function look(cli: ContainerCli, id: string, signal: AbortSignal): Promise<WatchedContainer | undefined> {
  const found = await findContainer(cli, id, { signal });
  return found === undefined ? undefined : { lives: isAlive(found), restarts: found.restarts ?? 0, state: describeState(found) };
}

async function withLog(cli: ContainerCli, { id, name }: ContainerDetails, error: unknown): Promise<unknown> {
  if (!RunnerError.is(error)) return error;
  const log = await readLastLog(cli, id, { lines: LOG_LINES, bytes: LOG_BYTES }).catch(() => "");
  return engineStartError(error, { driver: cli.runtime.name, name, log, logCommand: `${cli.shown} logs ${name}` });
}
