import { RunnerError, type Reporter } from "@anyrunner/core/driver";

import { findJson } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import { DRAINING_ANNOTATION, podPath, type PodCall } from "./pod.ts";

/** Marks a pod, or takes the mark away. Without the right to patch pods that is told, and new sessions are let in. */
export async function markDraining(
  cluster: Cluster,
  pod: string,
  { until, namespace, signal, report }: PodCall & { readonly until: Date | undefined; readonly report?: Reporter | undefined },
): Promise<void> {
  const body = { metadata: { annotations: { [DRAINING_ANNOTATION]: until?.toISOString() ?? null } } };
  try {
    await findJson(cluster, { method: "PATCH", path: podPath(namespace, pod), body, signal });
  } catch (error) {
    if (!RunnerError.is(error) || error.code !== "PERMISSION_DENIED") throw error;
    report?.({ type: "warning", id: "engine-drain-mark", message: `new sessions can't be kept from the pod "${pod}": ${error.message}`, hint: error.hint });
  }
}
