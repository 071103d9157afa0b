import { throwIfAborted } from "@anyrunner/core/driver";
import { countSessions, LIVE_SESSIONS_SCRIPT } from "@anyrunner/engine-container";

import type { Cluster } from "./cluster.ts";
import { runInPod, type PodPlace } from "./run-in-pod.ts";

/** How many sessions use the engine: 0 where none listens, `undefined` when its container can't be asked. Fails only with ABORTED. */
export async function countLiveSessions(cluster: Cluster, place: PodPlace, signal: AbortSignal | undefined): Promise<number | undefined> {
  const text = await askPod(cluster, place, signal);
  return text === undefined ? undefined : (countSessions(text) ?? 0);
}

/** Whether an engine listens in the container. Fails only with ABORTED. */
export async function engineListens(cluster: Cluster, place: PodPlace, signal: AbortSignal | undefined): Promise<boolean> {
  return countSessions((await askPod(cluster, place, signal)) ?? "") !== undefined;
}

async function askPod(cluster: Cluster, place: PodPlace, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    return await runInPod(cluster, place, { command: ["sh", "-c", LIVE_SESSIONS_SCRIPT], signal });
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}
