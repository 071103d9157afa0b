import { setTimeout as sleep } from "node:timers/promises";

import { abortedError, RunnerError, type StopOptions } from "@anyrunner/core";

import type { Cluster } from "./cluster.ts";
import { markDraining } from "./drain-mark.ts";
import { countLiveSessions } from "./live-sessions.ts";
import type { PodPlace } from "./run-in-pod.ts";

const LOOK_MS = 1000;

/**
 * Keeps new sessions of ours from the engine's pod and waits until none uses it. A container that can't be asked runs no engine. Fails with TIMEOUT when
 * sessions are still there after `graceMs`, and then lets new ones in again.
 */
export async function drainEngine(cluster: Cluster, place: PodPlace, options: StopOptions & { readonly graceMs: number }): Promise<void> {
  const { namespace, pod } = place;
  await markDraining(cluster, pod, { ...options, namespace, until: new Date(Date.now() + 2 * options.graceMs) });
  try {
    await untilUnused(cluster, place, options);
  } catch (error) {
    await markDraining(cluster, pod, { namespace, until: undefined }).catch(() => undefined);
    throw error;
  }
}

async function untilUnused(cluster: Cluster, place: PodPlace, { graceMs, signal, report }: StopOptions & { readonly graceMs: number }): Promise<void> {
  let told = 0;
  for (let waited = 0; ; waited += LOOK_MS) {
    const live = (await countLiveSessions(cluster, place, signal)) ?? 0;
    if (live === 0) return;
    const who = `${live} ${live === 1 ? "session" : "sessions"}`;
    if (live !== told) report?.({ type: "progress", id: "engine-drain", message: `waiting for ${who} on the engine "${place.pod}"` });
    told = live;
    if (waited >= graceMs) {
      throw new RunnerError("TIMEOUT", `the engine "${place.pod}" is still in use by ${who} after ${Math.round(graceMs / 1000)} s, and goes on running`, {
        hint: "wait longer, or stop it by force, which ends them and discards the cache",
        driver: "kubernetes",
      });
    }
    await sleep(LOOK_MS, undefined, { signal }).catch((cause: unknown) => {
      throw signal?.aborted ? abortedError(signal) : cause;
    });
  }
}
