import { createRunner, shortId, type ProvisionOptions, type Registry } from "@anyrunner/core";

import { openControlConnection } from "./control-connection.ts";
import { closeControl } from "./dial-session.ts";
import { retryTransient, systemClock, type Clock } from "./retry.ts";

/** Which drivers may be asked, and for how long. */
export interface ReadinessOptions {
  /** Has the driver of the handle. */
  readonly registry: Pick<Registry, "driver">;
  /** How long an engine that is starting is asked again, in ms. Default 600,000: one with a large cache takes minutes. */
  readonly budgetMs?: number | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
}

const BUDGET_MS = 600_000;
/** Whoever starts an engine waits for it: a dial costs less than a pause that is too long. */
const LONGEST_DELAY_MS = 100;

/**
 * The check that drivers await for an engine which they have started: it answers, and its version is one that we speak.
 * Fails as `openControlConnection` does, or with TIMEOUT. That a starting engine doesn't answer yet is not reported.
 */
export function createReadiness(options: ReadinessOptions): NonNullable<ProvisionOptions["ready"]> {
  const { clock = systemClock } = options;
  const eager: Clock = { now: () => clock.now(), sleep: (ms, signal) => clock.sleep(Math.min(ms, LONGEST_DELAY_MS), signal) };
  return async (handle, call) => {
    const driver = await options.registry.driver(handle.driver);
    const url = `${handle.driver} runner ${shortId(handle.id)}`;
    const runner = createRunner({ url, driver, handle });
    const control = await retryTransient(() => openControlConnection(runner, { signal: call.signal }), {
      what: "asking the engine who it is",
      budgetMs: options.budgetMs ?? BUDGET_MS,
      signal: call.signal,
      clock: eager,
    });
    closeControl(control);
  };
}
