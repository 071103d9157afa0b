import { setTimeout as delay } from "node:timers/promises";

import { RunnerError, throwIfAborted, type ProvisionOptions } from "@anyrunner/core/driver";
import { engineStartError } from "@anyrunner/engine-container";

import { tellCacheLoss } from "./cache-fate.ts";
import { findContainer } from "./container.ts";
import type { ContainerCli } from "./container-cli.ts";
import { describeState, isAlive, type ContainerDetails } from "./container-details.ts";
import { readLastLog } from "./container-log.ts";
import { createHandle } from "./handle.ts";

const LOOK_MS = 500;
/** The first restarts may be an engine that waits for what it needs. */
const PATIENCE_RESTARTS = 2;
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
  const over = new AbortController();
  const call = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([ready(createHandle(cli, container), { signal: call, report }), failWhenDead(cli, container, call)]);
  } catch (error) {
    throwIfAborted(signal);
    const explained = await withLog(cli, container, error);
    // Else the runtime would go on starting what can't live.
    if (options.started && RunnerError.is(error) && error.code === "NOT_RUNNING") await end(cli, container);
    throw explained;
  } finally {
    over.abort();
  }
  if (options.started) await tellCacheLoss(cli, container, options);
}

async function end(cli: ContainerCli, { id, name }: ContainerDetails): Promise<void> {
  await cli.attempt(cli.runtime.grammar.stop(id, { seconds: 0 }), { doing: `stop the container "${name}"` }).catch(() => undefined);
}

/** Rejects when the container ends or keeps being restarted; never resolves. */
async function failWhenDead(cli: ContainerCli, { id, restarts: before = 0 }: ContainerDetails, signal: AbortSignal): Promise<never> {
  const { name: driver } = cli.runtime;
  for (;;) {
    try {
      await delay(LOOK_MS, undefined, { signal });
    } catch {
      return new Promise<never>(() => undefined);
    }
    const found = await findContainer(cli, id, { signal }).catch(() => "unknown" as const);
    if (found === "unknown") continue;
    if (found === undefined) throw new RunnerError("NOT_RUNNING", "it was removed", { driver });
    if (!isAlive(found) || (found.restarts ?? 0) - before > PATIENCE_RESTARTS) throw new RunnerError("NOT_RUNNING", `it ${describeState(found)}`, { driver });
  }
}

async function withLog(cli: ContainerCli, { id, name }: ContainerDetails, error: unknown): Promise<unknown> {
  if (!RunnerError.is(error)) return error;
  const log = await readLastLog(cli, id, { lines: LOG_LINES, bytes: LOG_BYTES }).catch(() => "");
  return engineStartError(error, { driver: cli.runtime.name, name, log, logCommand: `${cli.shown} logs ${name}` });
}
