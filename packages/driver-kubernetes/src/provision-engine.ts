import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { RunnerError, type ProvisionOptions } from "@anyrunner/core";
import {
  driftWarning,
  ENGINE_LABELS,
  isOwnedEngine,
  matchesPlan,
  planEngineContainer,
  readEngineFiles,
  type EngineContainerPlan,
  type Labels,
} from "@anyrunner/engine-container";

import type { ClusterLocation, ClusterSource } from "./cluster-config.ts";
import { findJson, requestJson } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import { ENGINE_CONTAINER, engineManifests, type EngineFileContents, type EngineManifests } from "./engine-manifests.ts";
import type { EngineRequest } from "./engine-target.ts";
import type { KubernetesHandle } from "./handle.ts";
import type { PodCall } from "./pod.ts";
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

/** The engine's StatefulSet, found or made, with a pod that runs. Fails with ALREADY_EXISTS for one that is another's or has another image. */
export async function provisionEngine(cluster: Cluster, request: EngineRequest, options: ProvisionEngineOptions): Promise<KubernetesHandle> {
  const { env } = options.source;
  const files = await readEngineFiles(request.image, { env });
  const plan = planEngineContainer(request.image, { env, engineVersion: options.engineVersion, ...files });
  const manifests = engineManifests(plan, request, await readContents(files));
  const choice: WorkloadChoice = { kind: "workload", resource: "statefulsets", name: manifests.name, sameNode: false, key: "" };
  const found = await findWorkload(cluster, choice, options);
  let started = found === undefined ? await createEngine(cluster, manifests, options) : false;
  const workload = found ?? (await findWorkload(cluster, choice, options));
  if (workload === undefined)
    throw new RunnerError("NOT_FOUND", `the StatefulSet "${manifests.name}" was removed while it was made`, {
      hint: "try again",
      driver: "kubernetes",
      retryable: true,
    });
  checkEngine(workload, plan, options);
  if (workload.spec.replicas === 0) {
    await scaleWorkload(cluster, choice, 1, options);
    started = true;
  }
  await options.podRuns(choice);
  const handle = engineHandle(workload, options);
  if (started) await options.ready?.(handle, { signal: options.signal, report: options.report });
  return handle;
}

/** The handle of an engine that we made. */
export function engineHandle({ metadata }: Workload, { location, namespace }: Pick<ProvisionEngineOptions, "location" | "namespace">): KubernetesHandle {
  const { name, uid } = metadata;
  return {
    driver: "kubernetes",
    id: uid,
    endpoint: {
      cluster: location,
      namespace,
      pod: `${name}-0`,
      container: ENGINE_CONTAINER,
      choice: { kind: "workload", resource: "statefulsets", name, sameNode: false, key: "" },
    },
    owned: true,
    labels: engineLabels(metadata),
  };
}

/** The engines of the namespace that we made. */
export async function listEngines(cluster: Cluster, { namespace, signal }: PodCall): Promise<readonly Workload[]> {
  const { items } = await requestJson<{ readonly items: readonly Workload[] }>(cluster, {
    path: workloadPath(namespace, "statefulsets"),
    query: { labelSelector: `${ENGINE_LABELS.role}=engine` },
    signal,
  });
  return items;
}

/** Labels as on other runtimes: the role is a label here, the others are annotations. */
export function engineLabels({ labels, annotations }: Workload["metadata"]): Labels {
  const known = Object.values(ENGINE_LABELS);
  return Object.fromEntries(Object.entries({ ...annotations, ...labels }).filter(([name]) => (known as readonly string[]).includes(name)));
}

/** False when somebody else makes it at the same time. */
async function createEngine(cluster: Cluster, manifests: EngineManifests, { namespace, signal }: PodCall): Promise<boolean> {
  await putSecret(cluster, manifests, { namespace, signal });
  return unlessThere(requestJson(cluster, { path: workloadPath(namespace, "statefulsets"), body: manifests.statefulSet, signal }));
}

/** One that an earlier engine of ours left behind is brought up to date; another's is left alone. */
async function putSecret(cluster: Cluster, { name, secret }: EngineManifests, { namespace, signal }: PodCall): Promise<void> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  if (await unlessThere(requestJson(cluster, { path, body: secret, signal }))) return;
  const found = await findJson<{ readonly metadata: { readonly labels?: Labels } }>(cluster, { path: `${path}/${encodeURIComponent(name)}`, signal });
  if (!isOwnedEngine(found?.metadata.labels)) {
    throw new RunnerError("ALREADY_EXISTS", `the Secret "${name}" in the namespace "${namespace}" was not made by anyrunner`, {
      hint: "choose another name with name=",
      driver: "kubernetes",
    });
  }
  await requestJson(cluster, { method: "PATCH", path: `${path}/${encodeURIComponent(name)}`, body: secret, signal });
}

async function unlessThere(creation: Promise<unknown>): Promise<boolean> {
  try {
    await creation;
    return true;
  } catch (error) {
    if (RunnerError.is(error) && error.code === "ALREADY_EXISTS") return false;
    throw error;
  }
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

async function readContents({ configPath, ca }: Awaited<ReturnType<typeof readEngineFiles>>): Promise<EngineFileContents> {
  const certificates: Record<string, string> = {};
  if (ca?.kind === "file") certificates["anyrunner-ca.crt"] = await readFile(ca.path, "utf8");
  if (ca?.kind === "folder") {
    const names = (await readdir(ca.path)).filter((name) => /^[\w.-]+\.(crt|pem|cer)$/.test(name));
    for (const name of names) certificates[name.replace(/\.(pem|cer)$/, ".crt")] = await readFile(join(ca.path, name), "utf8");
  }
  return { certificates, ...(configPath !== undefined && { engineJson: await readFile(configPath, "utf8") }) };
}

/** Removes a claim; one that is gone is no failure. */
export async function removeClaim(cluster: Cluster, name: string, { namespace, signal }: PodCall): Promise<void> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/persistentvolumeclaims/${encodeURIComponent(name)}`;
  await findJson(cluster, { method: "DELETE", path, signal });
}
