import { RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core/driver";

import type { Cluster } from "./cluster.ts";
import { removeEngineObjects } from "./engine-objects.ts";
import { isExpired, listLeases, takeLease, type Lease } from "./lease.ts";
import { leaseSeconds, listEngines } from "./list-engines.ts";
import { countLiveSessions } from "./live-sessions.ts";
import { findPod, isRunning, type PodCall } from "./pod.ts";
import { ENGINE_CONTAINER } from "./engine-manifests.ts";

export interface CollectOptions extends PodCall, CallOptions {
  /** The engine that is about to be used. */
  readonly keep: string;
}

/**
 * Removes the engines of the namespace whose leases have run out and that nobody uses, and those that somebody else began to remove. What can't be
 * known counts as used. One that resists is a warning; who may not see leases removes nothing. Fails only with ABORTED.
 */
export async function collectExpired(cluster: Cluster, options: CollectOptions): Promise<void> {
  try {
    // In this order: an engine is made after its lease.
    const engines = await listEngines(cluster, options);
    const { leases, at } = await listLeases(cluster, options);
    const names = new Set(leases.map(({ metadata }) => metadata.name));
    const abandoned = engines.filter((engine) => leaseSeconds(engine) !== undefined && !names.has(engine.metadata.name)).map(({ metadata }) => metadata.name);
    for (const lease of leases.filter((candidate) => isExpired(candidate, at))) await collect(cluster, lease, options);
    for (const name of abandoned.filter((candidate) => candidate !== options.keep)) await removeEngineObjects(cluster, name, options);
  } catch (error) {
    warn("the engines whose leases have run out", error, options);
  }
}

async function collect(cluster: Cluster, lease: Lease, options: CollectOptions): Promise<void> {
  const { name } = lease.metadata;
  if (name === options.keep) return;
  try {
    if (await isUsed(cluster, name, options)) return;
    if (!(await takeLease(cluster, lease, options))) return;
    options.report?.({ type: "progress", id: "engine-cleanup", message: `removing the engine "${name}", whose lease has run out` });
    await removeEngineObjects(cluster, name, options);
  } catch (error) {
    warn(`the engine "${name}"`, error, options);
  }
}

async function isUsed(cluster: Cluster, name: string, { namespace, signal }: CollectOptions): Promise<boolean> {
  const pod = await findPod(cluster, `${name}-0`, { namespace, signal });
  if (pod === undefined || !isRunning(pod, ENGINE_CONTAINER)) return false;
  const live = await countLiveSessions(cluster, { namespace, pod: pod.metadata.name, container: ENGINE_CONTAINER }, signal);
  return live === undefined || live > 0;
}

function warn(what: string, error: unknown, { report, signal }: CollectOptions): void {
  throwIfAborted(signal);
  if (!RunnerError.is(error)) throw error;
  if (error.code === "PERMISSION_DENIED") return;
  report?.({ type: "warning", id: "engine-cleanup", message: `${what} could not be cleaned up: ${error.message}`, hint: error.hint });
}
