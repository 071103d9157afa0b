import { RunnerError } from "@anyrunner/core/driver";
import { isOwnedEngine, type Labels } from "@anyrunner/engine-container";

import { findJson, requestJson } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import type { EngineManifests } from "./engine-manifests.ts";
import { bindLease, putLease, removeLease } from "./lease.ts";
import type { OwnerReference } from "./owner-pod.ts";
import type { PodCall } from "./pod.ts";
import { workloadPath, type Workload } from "./workload.ts";

/**
 * Makes an engine's objects; `undefined` when somebody else makes its StatefulSet at the same time. The lease comes first, so that an engine without its
 * lease is one that is being removed. Fails with ALREADY_EXISTS for a Secret or ConfigMap that is another's.
 */
export async function createEngineObjects(cluster: Cluster, manifests: EngineManifests, call: PodCall): Promise<Workload | undefined> {
  const { name, secret, configMap, statefulSet, lease } = manifests;
  const { namespace, signal } = call;
  if (lease !== undefined) await putLease(cluster, { name, ...call, ...lease });
  await putObject(cluster, { resource: "secrets", kind: "Secret", name, body: secret }, call);
  if (configMap !== undefined) await putObject(cluster, { resource: "configmaps", kind: "ConfigMap", name, body: configMap }, call);
  const made = await unlessThere(requestJson<Workload>(cluster, { path: workloadPath(namespace, "statefulsets"), body: statefulSet, signal }));
  if (made !== undefined && lease !== undefined) await bindToStatefulSet(cluster, manifests, made, call);
  return made;
}

/** Removes an engine's StatefulSet and what belongs to it; what is gone is no failure. Its pod gets the time that its engine needs to end. */
export async function removeEngineObjects(cluster: Cluster, name: string, { namespace, signal }: PodCall): Promise<void> {
  await findJson(cluster, { method: "DELETE", path: workloadPath(namespace, "statefulsets", name), signal });
  await findJson(cluster, { method: "DELETE", path: objectPath(namespace, "secrets", name), signal });
  // Who may not touch these made none.
  await unlessForbidden(findJson(cluster, { method: "DELETE", path: objectPath(namespace, "configmaps", name), signal }));
  await unlessForbidden(removeLease(cluster, { name, namespace, signal }));
}

/** Removes a claim; one that is gone is no failure. */
export async function removeClaim(cluster: Cluster, name: string, { namespace, signal }: PodCall): Promise<void> {
  await findJson(cluster, { method: "DELETE", path: objectPath(namespace, "persistentvolumeclaims", name), signal });
}

interface NamedObject {
  readonly resource: "secrets" | "configmaps";
  readonly kind: string;
  readonly name: string;
  readonly body: object;
}

/** One that an earlier engine of ours left behind is brought up to date; another's is left alone. */
async function putObject(cluster: Cluster, { resource, kind, name, body }: NamedObject, { namespace, signal }: PodCall): Promise<void> {
  if ((await unlessThere(requestJson(cluster, { path: objectPath(namespace, resource), body, signal }))) !== undefined) return;
  const path = objectPath(namespace, resource, name);
  const found = await findJson<{ readonly metadata: { readonly labels?: Labels } }>(cluster, { path, signal });
  if (!isOwnedEngine(found?.metadata.labels)) {
    throw new RunnerError("ALREADY_EXISTS", `the ${kind} "${name}" in the namespace "${namespace}" was not made by anyrunner`, {
      hint: "choose another name with name=",
      driver: "kubernetes",
    });
  }
  await requestJson(cluster, { method: "PATCH", path, body, signal });
}

/** Kubernetes then removes them together, whoever removes the StatefulSet. */
async function bindToStatefulSet(cluster: Cluster, { name, configMap }: EngineManifests, { metadata }: Workload, call: PodCall): Promise<void> {
  const { namespace, signal } = call;
  const owner: OwnerReference = { apiVersion: "apps/v1", kind: "StatefulSet", name, uid: metadata.uid };
  const body = { metadata: { ownerReferences: [owner] } };
  await findJson(cluster, { method: "PATCH", path: objectPath(namespace, "secrets", name), body, signal });
  if (configMap !== undefined) await findJson(cluster, { method: "PATCH", path: objectPath(namespace, "configmaps", name), body, signal });
  await bindLease(cluster, owner, { name, ...call });
}

/** `undefined` for a conflict: the object is there already, or is no longer as it was read. */
export async function unlessThere<T>(creation: Promise<T>): Promise<T | undefined> {
  try {
    return await creation;
  } catch (error) {
    if (RunnerError.is(error) && error.code === "ALREADY_EXISTS") return undefined;
    throw error;
  }
}

async function unlessForbidden(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!RunnerError.is(error) || error.code !== "PERMISSION_DENIED") throw error;
  }
}

function objectPath(namespace: string, resource: string, name?: string): string {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${resource}`;
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}
