import { ENGINE_LABELS, type Labels } from "@anyrunner/engine-container";

import type { ClusterLocation } from "./cluster-config.ts";
import { requestJson } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import { ENGINE_CONTAINER } from "./engine-manifests.ts";
import type { KubernetesHandle } from "./handle.ts";
import { LEASE_ANNOTATION } from "./lease.ts";
import type { PodCall } from "./pod.ts";
import { workloadPath, type Workload } from "./workload.ts";

/** The engines of the namespace that we made. */
export async function listEngines(cluster: Cluster, { namespace, signal }: PodCall): Promise<readonly Workload[]> {
  const { items } = await requestJson<{ readonly items: readonly Workload[] }>(cluster, {
    path: workloadPath(namespace, "statefulsets"),
    query: { labelSelector: `${ENGINE_LABELS.role}=engine` },
    signal,
  });
  return items;
}

/** The handle of an engine that we made. */
export function engineHandle(
  { metadata }: Workload,
  { location, namespace }: { readonly location: ClusterLocation; readonly namespace: string },
): KubernetesHandle {
  const { name, uid } = metadata;
  const seconds = leaseSeconds({ metadata });
  return {
    driver: "kubernetes",
    id: uid,
    endpoint: {
      cluster: location,
      namespace,
      pod: `${name}-0`,
      container: ENGINE_CONTAINER,
      choice: { kind: "workload", resource: "statefulsets", name, sameNode: false, key: "" },
      ...(seconds !== undefined && { leaseSeconds: seconds }),
    },
    owned: true,
    labels: engineLabels(metadata),
  };
}

/** Labels as on other runtimes: the role is a label here, the others are annotations. */
export function engineLabels({ labels, annotations }: Workload["metadata"]): Labels {
  const known = Object.values(ENGINE_LABELS);
  return Object.fromEntries(Object.entries({ ...annotations, ...labels }).filter(([name]) => (known as readonly string[]).includes(name)));
}

/** Of an engine that goes when nobody has used it for so long. */
export function leaseSeconds({ metadata }: Pick<Workload, "metadata">): number | undefined {
  const seconds = Number(metadata.annotations?.[LEASE_ANNOTATION]);
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : undefined;
}
