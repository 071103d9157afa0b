import { readFileSync } from "node:fs";
import { join } from "node:path";

import { RunnerError, type Reporter } from "@anyrunner/core/driver";

import type { ClusterSource } from "./cluster-config.ts";
import type { Cluster } from "./cluster.ts";
import { findPod, podNotFound, type PodCall } from "./pod.ts";

/** In `owner=`: the pod that this process runs in. */
const SELF = "self";

/** An entry of `metadata.ownerReferences`: Kubernetes removes what has it once the owner is gone. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface FindOwnerOptions extends PodCall {
  readonly source: ClusterSource;
  readonly report?: Reporter | undefined;
}

/**
 * The pod that `owner=` names: one of the namespace, or with `self` the own one, as `POD_NAME` (downward API) or else `HOSTNAME` has it. Of another
 * namespace it can own nothing: then that is told, and there is no owner. Fails with NOT_FOUND, INVALID_OPTION.
 */
export async function findOwner(cluster: Cluster, owner: string, options: FindOwnerOptions): Promise<OwnerReference | undefined> {
  const { namespace, signal, report } = options;
  const place = owner === SELF ? ownPod(options) : { pod: owner, namespace };
  if (place.namespace !== namespace) {
    report?.({
      type: "warning",
      id: "owner-elsewhere",
      message: `the pod "${place.pod}" is in the namespace "${place.namespace}", so it can't own an engine in "${namespace}": only the lease ends that`,
      hint: `make the engine in the namespace "${place.namespace}"`,
    });
    return undefined;
  }
  const pod = await findPod(cluster, place.pod, { namespace, signal });
  if (pod !== undefined) return { apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: pod.metadata.uid };
  const error = await podNotFound(cluster, place.pod, { namespace, signal });
  if (owner !== SELF) throw error;
  throw new RunnerError("NOT_FOUND", error.message, {
    hint: "set POD_NAME and POD_NAMESPACE from the downward API (fieldRef metadata.name, metadata.namespace)",
    driver: "kubernetes",
  });
}

function ownPod({ source: { env, serviceAccountDirectory } }: FindOwnerOptions): { readonly pod: string; readonly namespace: string } {
  const pod = env["POD_NAME"] || env["HOSTNAME"];
  const namespace = env["POD_NAMESPACE"] || readNamespace(serviceAccountDirectory);
  if (pod && namespace) return { pod, namespace };
  throw new RunnerError("INVALID_OPTION", `parameter "owner" is wrong: this is no pod, so there is no ${pod ? "namespace" : "name"} of it`, {
    hint: "write owner=POD, or set POD_NAME and POD_NAMESPACE from the downward API",
    driver: "kubernetes",
    details: { parameter: "owner" },
  });
}

function readNamespace(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, "namespace"), "utf8").trim();
  } catch {
    return undefined;
  }
}
