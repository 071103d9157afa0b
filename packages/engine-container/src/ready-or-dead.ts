import { setTimeout as delay } from "node:timers/promises";

import { RunnerError, throwIfAborted } from "@anyrunner/core";

/** A container, as far as it matters to whoever waits for its engine. */
export interface WatchedContainer {
  /** Runs, or is about to. */
  readonly lives: boolean;
  readonly restarts: number;
  /** The rest of a sentence that begins with the container. */
  readonly state: string;
}

export interface ReadyOrDeadOptions {
  /** Its driver's name. */
  readonly driver: string;
  /** Settles when the engine answers, or can't be waited for any longer. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  /** `undefined`: it is gone. A failure says nothing of the container. */
  readonly look: (signal: AbortSignal) => Promise<WatchedContainer | undefined>;
  /** How often it had been restarted before. Default 0. */
  readonly restarts?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Between two looks, in ms. Default 500. */
  readonly lookMs?: number | undefined;
}

const LOOK_MS = 500;
/** The first restarts may be an engine that waits for what it needs. */
const PATIENCE_RESTARTS = 2;

/**
 * Waits until an engine answers, but no longer than its container lives or is restarted a few times: then it is NOT_RUNNING. Else fails as
 * `ready` does; but for what a container says that is just ending or beginning, which tells nothing of its engine, and is asked again.
 */
export async function readyOrDead(options: ReadyOrDeadOptions): Promise<void> {
  const { signal } = options;
  const over = new AbortController();
  const call = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([askReady(options, call), failWhenDead(options, call)]);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    over.abort();
  }
}

async function askReady({ ready, look, restarts = 0, lookMs = LOOK_MS }: ReadyOrDeadOptions, signal: AbortSignal): Promise<void> {
  for (let seen = restarts; ;) {
    try {
      return await ready(signal);
    } catch (error) {
      if (signal.aborted || (RunnerError.is(error) && error.code === "TIMEOUT")) throw error;
      const found = await look(signal).catch(() => undefined);
      // Whether it is dead, and why, the other one says.
      if (found === undefined || (found.lives && found.restarts === seen)) throw error;
      seen = found.restarts;
    }
    await delay(lookMs, undefined, { signal });
  }
}

/** Rejects when the container ends or keeps being restarted; never resolves. */
async function failWhenDead({ driver, look, restarts = 0, lookMs = LOOK_MS }: ReadyOrDeadOptions, signal: AbortSignal): Promise<never> {
  for (;;) {
    try {
      await delay(lookMs, undefined, { signal });
    } catch {
      return new Promise<never>(() => undefined);
    }
    const found = await look(signal).catch(() => "unknown" as const);
    if (found === "unknown") continue;
    if (found === undefined) throw new RunnerError("NOT_RUNNING", "it was removed", { driver });
    if (!found.lives || found.restarts - restarts > PATIENCE_RESTARTS) throw new RunnerError("NOT_RUNNING", `it ${found.state}`, { driver });
  }
}
