import type { JsonObject } from "@anyrunner/core/driver";
import { STATE_FOLDER } from "@anyrunner/engine-container";

import { findJson } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import type { PodCall } from "./pod.ts";
import { runInPod, type PodPlace } from "./run-in-pod.ts";

const BUDGET_MS = 20_000;

/**
 * Kilobytes of an engine's state: what its file system says when that is the claim's alone, else (a folder of a node's disk) what its files add up to.
 */
const USAGE_SCRIPT = `root=$(while read -r _ _ _ root point _; do [ "$point" = ${STATE_FOLDER} ] && echo "$root"; done < /proc/self/mountinfo | tail -n 1)
if [ "$root" = / ]; then df -Pk ${STATE_FOLDER} | tail -n 1 | { read -r _ _ used _; echo "$used"; }; else du -skx ${STATE_FOLDER} 2>/dev/null | { read -r used _; echo "$used"; }; fi`;

/** The claim of an engine as an entry of `details.disk`: its name, what it asked for, and what is used of it while its pod runs. Never fails. */
export async function claimUsage(
  cluster: Cluster,
  claim: string,
  { running, namespace, signal }: PodCall & { readonly running: PodPlace | undefined },
): Promise<JsonObject> {
  const [requested, bytes] = await Promise.all([
    readRequest(cluster, claim, { namespace, signal }).catch(() => undefined),
    running === undefined ? undefined : readUsage(cluster, running, signal).catch(() => undefined),
  ]);
  return { kind: "volume", name: claim, ...(requested !== undefined && { requested }), ...(bytes !== undefined && { bytes }) };
}

async function readRequest(cluster: Cluster, claim: string, { namespace, signal }: PodCall): Promise<string | undefined> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/persistentvolumeclaims/${encodeURIComponent(claim)}`;
  const found = await findJson<{ readonly spec?: { readonly resources?: { readonly requests?: { readonly storage?: string } } } }>(cluster, { path, signal });
  return found?.spec?.resources?.requests?.storage;
}

async function readUsage(cluster: Cluster, place: PodPlace, signal: AbortSignal | undefined): Promise<number | undefined> {
  const kilobytes = Number((await runInPod(cluster, place, { command: ["sh", "-c", USAGE_SCRIPT], budgetMs: BUDGET_MS, signal })).trim() || "x");
  return Number.isFinite(kilobytes) ? kilobytes * 1024 : undefined;
}
