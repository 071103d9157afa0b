import { RunnerError } from "@anyrunner/core/driver";
import { LABEL_PREFIX, type Labels } from "@anyrunner/engine-container";

import { findDated, findJson, requestDated, requestJson } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import type { OwnerReference } from "./owner-pod.ts";
import type { PodCall } from "./pod.ts";

/** On an engine's StatefulSet: for how many seconds nobody may have used it before it is removed. */
export const LEASE_ANNOTATION = `${LABEL_PREFIX}lease`;
/** On leases: whose they are. */
export const LEASE_ROLE = "engine-lease";

/** What the API says of a lease, as far as it is used here. */
export interface Lease {
  readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly labels?: Labels };
  readonly spec?: { readonly renewTime?: string; readonly leaseDurationSeconds?: number };
}

export interface LeaseCall extends PodCall {
  readonly name: string;
}

/** Makes an engine's lease; one that is there is renewed. */
export async function putLease(
  cluster: Cluster,
  { name, namespace, signal, seconds, labels }: LeaseCall & { readonly seconds: number; readonly labels: Labels },
): Promise<void> {
  const call = { namespace, signal };
  for (let attempt = 1; attempt <= 3; attempt++) {
    if (await renewLease(cluster, { name, ...call, seconds })) return;
    const { at } = await listDated(cluster, call);
    const spec = { holderIdentity: "anyrunner", leaseDurationSeconds: seconds, acquireTime: microTime(at), renewTime: microTime(at) };
    try {
      await requestJson(cluster, { path: leasePath(namespace), body: { metadata: { name, labels }, spec }, signal });
      return;
    } catch (error) {
      // Somebody else was faster.
      if (!RunnerError.is(error) || error.code !== "ALREADY_EXISTS") throw error;
    }
  }
}

/** Renews a lease by the cluster's clock. `false`: it is gone, so the engine is being removed. */
export async function renewLease(cluster: Cluster, { name, namespace, signal, seconds }: LeaseCall & { readonly seconds: number }): Promise<boolean> {
  const path = leasePath(namespace, name);
  const found = await findDated<Lease>(cluster, { path, signal });
  if (found === undefined) return false;
  const spec = { renewTime: microTime(found.at), leaseDurationSeconds: seconds };
  return (await findJson(cluster, { method: "PATCH", path, body: { spec }, signal })) !== undefined;
}

/** The leases of engines in the namespace, and the cluster's time. */
export async function listLeases(cluster: Cluster, call: PodCall): Promise<{ readonly leases: readonly Lease[]; readonly at: number }> {
  const { value, at } = await listDated(cluster, call);
  return { leases: value.items, at };
}

export function isExpired({ spec = {} }: Lease, at: number): boolean {
  const renewed = Date.parse(spec.renewTime ?? "");
  return Number.isFinite(renewed) && renewed + (spec.leaseDurationSeconds ?? 0) * 1000 < at;
}

/** Takes a lease away, unless it was renewed meanwhile. Whoever gets `true` removes the engine. */
export async function takeLease(cluster: Cluster, { metadata }: Lease, { namespace, signal }: PodCall): Promise<boolean> {
  const { name, resourceVersion } = metadata;
  try {
    const body = { preconditions: { resourceVersion } };
    return (await findJson(cluster, { method: "DELETE", path: leasePath(namespace, name), body, signal })) !== undefined;
  } catch (error) {
    if (RunnerError.is(error) && error.code === "ALREADY_EXISTS") return false;
    throw error;
  }
}

export async function removeLease(cluster: Cluster, { name, namespace, signal }: LeaseCall): Promise<void> {
  await findJson(cluster, { method: "DELETE", path: leasePath(namespace, name), signal });
}

/** Binds what belongs to an engine to its StatefulSet, so that they go together. */
export async function bindLease(cluster: Cluster, owner: OwnerReference, { name, namespace, signal }: LeaseCall): Promise<void> {
  await findJson(cluster, { method: "PATCH", path: leasePath(namespace, name), body: { metadata: { ownerReferences: [owner] } }, signal });
}

function listDated(cluster: Cluster, { namespace, signal }: PodCall): Promise<{ readonly value: { readonly items: readonly Lease[] }; readonly at: number }> {
  return requestDated(cluster, { path: leasePath(namespace), query: { labelSelector: `${LABEL_PREFIX}role=${LEASE_ROLE}` }, signal });
}

function leasePath(namespace: string, name?: string): string {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}

/** Kubernetes reads six digits after the point, no fewer. */
function microTime(at: number): string {
  return new Date(at).toISOString().replace("Z", "000Z");
}
