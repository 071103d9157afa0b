import { RunnerError } from "@anyrunner/core/driver";
import type { Labels } from "@anyrunner/engine-container";

import { findJson, requestJson } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import type { LabelSelector } from "./label-selector.ts";
import type { OwnerReference } from "./owner-pod.ts";
import type { PodCall } from "./pod.ts";
import type { PodChoice, WorkloadResource } from "./target.ts";

/** What the API says of a StatefulSet, a Deployment or a DaemonSet, as far as it is used here. */
export interface Workload {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
    readonly ownerReferences?: readonly OwnerReference[];
  };
  readonly spec: {
    readonly selector: LabelSelector;
    readonly replicas?: number;
    readonly template?: { readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image?: string }[] } };
    readonly volumeClaimTemplates?: readonly { readonly metadata?: { readonly name?: string } }[];
  };
}

export type WorkloadChoice = PodChoice & { readonly kind: "workload" };

export const WORKLOAD_NAMES = { statefulsets: "StatefulSet", deployments: "Deployment", daemonsets: "DaemonSet" } as const;

export function findWorkload(
  cluster: Cluster,
  choice: Pick<WorkloadChoice, "resource" | "name">,
  { namespace, signal }: PodCall,
): Promise<Workload | undefined> {
  return findJson<Workload>(cluster, { path: workloadPath(namespace, choice.resource, choice.name), signal });
}

export function workloadPath(namespace: string, resource: WorkloadResource, name?: string): string {
  return `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/${resource}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}

/** Fails with NOT_FOUND, and with UNSUPPORTED for a DaemonSet. */
export async function scaleWorkload(cluster: Cluster, choice: WorkloadChoice, replicas: number, call: PodCall): Promise<void> {
  if (choice.resource === "daemonsets") {
    throw new RunnerError("UNSUPPORTED", `the DaemonSet "${choice.name}" runs on every node: it can't be started or stopped`, {
      hint: "delete it yourself",
      driver: "kubernetes",
    });
  }
  await requestJson(cluster, {
    method: "PATCH",
    path: workloadPath(call.namespace, choice.resource, choice.name),
    body: { spec: { replicas } },
    signal: call.signal,
  });
}
