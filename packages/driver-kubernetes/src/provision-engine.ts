import { pause, RunnerError, type ProvisionOptions } from "@anyrunner/core/driver";
import {
  driftWarning,
  isOwnedEngine,
  matchesPlan,
  planEngineContainer,
  readEngineFiles,
  withSecrets,
  type EngineContainerPlan,
} from "@anyrunner/engine-container";

import { tellCacheLoss } from "./cache-fate.ts";
import type { ClusterLocation, ClusterSource } from "./cluster-config.ts";
import { findJson } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import { collectExpired } from "./collect-expired.ts";
import { readFileContents } from "./engine-files.ts";
import { engineManifests, type EngineManifests } from "./engine-manifests.ts";
import { createEngineObjects, removeEngineObjects, unlessThere } from "./engine-objects.ts";
import type { EngineRequest } from "./engine-target.ts";
import type { KubernetesHandle } from "./handle.ts";
import { renewLease } from "./lease.ts";
import { engineHandle, engineLabels, leaseSeconds } from "./list-engines.ts";
import { findOwner, type OwnerReference } from "./owner-pod.ts";
import { findWorkload, scaleWorkload, workloadPath, type Workload, type WorkloadChoice } from "./workload.ts";

export interface ProvisionEngineOptions extends ProvisionOptions {
  readonly location: ClusterLocation;
  readonly namespace: string;
  readonly source: ClusterSource;
  /** For `version=auto`. */
  readonly engineVersion?: string | undefined;
  /** Resolves when the engine's pod runs. */
  readonly podRuns: (choice: WorkloadChoice) => Promise<unknown>;
}

const ATTEMPTS = 30;
const PAUSE_MS = 500;

/**
 * The engine's StatefulSet, found or made, with a pod that runs and a lease that is new; what others left behind goes. Fails with ALREADY_EXISTS for one
 * that is another's or has another image, NOT_RUNNING for one that is being stopped.
 */
export async function provisionEngine(cluster: Cluster, request: EngineRequest, options: ProvisionEngineOptions): Promise<KubernetesHandle> {
  const { env } = options.source;
  const files = await readEngineFiles(request.image, { env });
  const plan = planEngineContainer(withSecrets(request.image, options.secrets), { env, engineVersion: options.engineVersion, ...files });
  const owner = request.owner === undefined ? undefined : await findOwner(cluster, request.owner, options);
  const manifests = engineManifests(plan, request, await readFileContents(files), owner);
  const { name } = manifests;
  await collectExpired(cluster, { ...options, keep: name });
  const choice: WorkloadChoice = { kind: "workload", resource: "statefulsets", name, sameNode: false, key: "" };
  let { workload, started } = await findOrMake(cluster, manifests, plan, { ...options, choice, owner });
  if (workload.spec.replicas === 0) {
    await scaleWorkload(cluster, choice, 1, options);
    started = true;
  }
  await options.podRuns(choice);
  const handle = engineHandle(workload, options);
  if (!started || options.ready === undefined) return handle;
  await options.ready(handle, { signal: options.signal, report: options.report });
  await tellCacheLoss(cluster, handle.endpoint, name, options);
  return handle;
}

interface FindOrMakeOptions extends ProvisionEngineOptions {
  readonly choice: WorkloadChoice;
  readonly owner: OwnerReference | undefined;
}

interface Provisioned {
  readonly workload: Workload;
  /** Whether this call made it. */
  readonly started: boolean;
}

async function findOrMake(cluster: Cluster, manifests: EngineManifests, plan: EngineContainerPlan, options: FindOrMakeOptions): Promise<Provisioned> {
  const { name } = manifests;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await findWorkload(cluster, options.choice, options);
    if (found === undefined) {
      const made = await createEngineObjects(cluster, manifests, options);
      if (made !== undefined) return { workload: made, started: true };
      continue;
    }
    checkEngine(found, plan, options);
    if (await keeps(cluster, found, options)) {
      if (await joinOwners(cluster, found, options)) return { workload: found, started: false };
    } else {
      // Its lease was taken away by somebody who removes it; whoever comes first does.
      await removeEngineObjects(cluster, name, options);
    }
    await pause(PAUSE_MS, options.signal);
  }
  throw new RunnerError("TIMEOUT", `the StatefulSet "${name}" is made and removed again and again`, {
    hint: "see who else manages it",
    driver: "kubernetes",
    retryable: true,
  });
}

/** `false`: it is being removed. */
async function keeps(cluster: Cluster, engine: Workload, { namespace, signal }: FindOrMakeOptions): Promise<boolean> {
  const seconds = leaseSeconds(engine);
  return seconds === undefined || renewLease(cluster, { name: engine.metadata.name, namespace, signal, seconds });
}

/** An engine of jobs lives as long as one of them; one that belongs to no job doesn't begin to. `false`: it has changed meanwhile, or is gone. */
async function joinOwners(cluster: Cluster, { metadata }: Workload, { namespace, signal, owner }: FindOrMakeOptions): Promise<boolean> {
  const { name, ownerReferences = [], resourceVersion } = metadata;
  if (owner === undefined || ownerReferences.length === 0 || ownerReferences.some(({ uid }) => uid === owner.uid)) return true;
  const body = { metadata: { resourceVersion, ownerReferences: [...ownerReferences, owner] } };
  const patch = findJson(cluster, { method: "PATCH", path: workloadPath(namespace, "statefulsets", name), body, signal });
  return (await unlessThere(patch)) !== undefined;
}

function checkEngine({ metadata, spec }: Workload, plan: EngineContainerPlan, { report, namespace }: ProvisionEngineOptions): void {
  const labels = engineLabels(metadata);
  if (!isOwnedEngine(labels)) {
    throw new RunnerError("ALREADY_EXISTS", `the StatefulSet "${metadata.name}" in the namespace "${namespace}" was not made by anyrunner`, {
      hint: `use it as kube-pod://sts/${metadata.name}, or choose another name with name=`,
      driver: "kubernetes",
    });
  }
  const match = matchesPlan({ labels, image: spec.template?.spec?.containers?.[0]?.image ?? "" }, plan);
  if (match.kind === "other-image") {
    throw new RunnerError("ALREADY_EXISTS", `the engine "${metadata.name}" in the namespace "${namespace}" runs the image ${match.image}, not ${plan.image}`, {
      hint: "choose another name with name=, or remove that engine",
      driver: "kubernetes",
    });
  }
  if (match.kind === "other-options") report?.(driftWarning(metadata.name, match.differences));
}
