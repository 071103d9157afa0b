import { setTimeout as delay } from "node:timers/promises";

import { abortedError, RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core";

import { findContainer } from "./container.ts";
import type { ContainerCli } from "./container-cli.ts";
import type { ContainerDetails } from "./container-details.ts";
import { countLiveSessions } from "./live-sessions.ts";

const LOOK_MS = 1000;

/** Waits until no session uses the engine. Fails with TIMEOUT when some still do after `graceMs`; the engine then goes on running. */
export async function drain(cli: ContainerCli, container: ContainerDetails, options: CallOptions & { readonly graceMs: number }): Promise<void> {
  const { name, id } = container;
  const giveUpAt = performance.now() + options.graceMs;
  let told: string | undefined;
  for (let current: ContainerDetails | undefined = container; current?.state === "running"; current = await findContainer(cli, id, options)) {
    const live = await countLiveSessions(cli, current, options);
    if (live === 0) return;
    const who = live === undefined ? "sessions that can't be counted" : `${live} ${live === 1 ? "session" : "sessions"}`;
    if (performance.now() >= giveUpAt) throw stillInUse(cli, name, who, options.graceMs);
    if (told !== who) options.report?.({ type: "progress", id: "engine-drain", message: `waiting for ${who} on the engine "${name}"` });
    told = who;
    await pause(options.signal);
  }
}

function stillInUse(cli: ContainerCli, name: string, who: string, graceMs: number): RunnerError {
  return new RunnerError("TIMEOUT", `the engine "${name}" is still in use by ${who} after ${Math.round(graceMs / 1000)} s, and goes on running`, {
    hint: "wait longer, or stop it by force, which ends them and discards the cache",
    driver: cli.runtime.name,
    details: { container: name },
  });
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  try {
    await delay(LOOK_MS, undefined, { signal });
  } catch (error) {
    throw signal?.aborted ? abortedError(signal) : error;
  }
}
