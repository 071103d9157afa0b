import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { RunnerError, type Reporter } from "@anyrunner/core/driver";

import type { ClusterSource } from "./cluster-config.ts";
import type { Cluster } from "./cluster.ts";
import { formatSelector } from "./label-selector.ts";
import {
  chooseContainer,
  describePod,
  findPod,
  hintFor,
  isDraining,
  isOnItsWay,
  isReady,
  isRunning,
  lacksImage,
  listPods,
  placeOf,
  podNotFound,
  requireRunning,
  STOPPING_HINT,
  type Pod,
  type PodCall,
} from "./pod.ts";
import type { PodChoice } from "./target.ts";
import { findWorkload, WORKLOAD_NAMES, type Workload, type WorkloadChoice } from "./workload.ts";

export interface ChoosePodOptions extends PodCall {
  readonly container?: string | undefined;
  readonly source: ClusterSource;
  readonly report?: Reporter | undefined;
}

/** A pod that runs, and its container. */
export interface ChosenPod {
  readonly pod: Pod;
  readonly container: string;
}

/**
 * The pod of that name, which runs; or, of a workload's or selector's pods, one that is ready and not terminating: on this node if that
 * is preferred, and always the same one for the same key. Fails with NOT_FOUND, NOT_RUNNING (retryable while one is on its way), and
 * IMAGE_PULL_FAILED where that is why.
 */
export async function choosePod(cluster: Cluster, choice: PodChoice, options: ChoosePodOptions): Promise<ChosenPod> {
  if (choice.kind === "pod") {
    const pod = await findPod(cluster, choice.name, options);
    if (pod === undefined) throw await podNotFound(cluster, choice.name, options);
    const container = chooseContainer(pod, options.container);
    requireRunning(pod, container);
    return { pod, container };
  }
  const pods = choice.kind === "selector" ? await listPods(cluster, choice.selector, options) : await workloadPods(cluster, choice, options);
  const ready = pods.filter((pod) => isReady(pod) && !isDraining(pod));
  const what = choice.kind === "selector" ? `the selector "${choice.selector}"` : `${WORKLOAD_NAMES[choice.resource]} "${choice.name}"`;
  if (ready.length === 0) throw noneReady(what, pods, options);
  const near = choice.sameNode ? await onSameNode(cluster, ready, options) : ready;
  const pod = stickyChoice(near, choice.key);
  const container = chooseContainer(pod, options.container);
  if (!isRunning(pod, container)) requireRunning(pod, container);
  return { pod, container };
}

async function workloadPods(cluster: Cluster, choice: WorkloadChoice, options: ChoosePodOptions): Promise<readonly Pod[]> {
  const workload = await findWorkload(cluster, choice, options);
  if (workload === undefined) {
    throw new RunnerError(
      "NOT_FOUND",
      `there is no ${WORKLOAD_NAMES[choice.resource]} "${choice.name}" in the namespace "${options.namespace}" of ${cluster.where}`,
      {
        hint: `\`kubectl get ${choice.resource} -n ${options.namespace}\` lists them`,
        driver: "kubernetes",
      },
    );
  }
  const pods = await listPods(cluster, formatSelector(workload.spec.selector), options);
  // The pods of a Deployment belong to its ReplicaSets.
  const own =
    choice.resource === "deployments" ? pods : pods.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === workload.metadata.uid));
  if (own.length === 0) throw noPods(choice, workload, options);
  return own;
}

/** Between two pods of a rollout there is none for a moment. */
function noPods(choice: WorkloadChoice, { metadata: { uid }, spec }: Workload, { namespace, container }: ChoosePodOptions): RunnerError {
  const wanted = spec.replicas !== 0;
  // A StatefulSet's pods have names before they are there.
  const pod = choice.resource === "statefulsets" ? `${choice.name}-0` : choice.name;
  const [first] = spec.template?.spec?.containers ?? [];
  return new RunnerError("NOT_RUNNING", `${WORKLOAD_NAMES[choice.resource]} "${choice.name}" has no pods${wanted ? "" : ": it is scaled to 0"}`, {
    hint: wanted
      ? `see why: kubectl describe ${choice.resource} ${choice.name} -n ${namespace}`
      : `start one: kubectl scale ${choice.resource} ${choice.name} --replicas=1 -n ${namespace}`,
    driver: "kubernetes",
    retryable: wanted,
    details: { pod, namespace, container: container ?? first?.name ?? "", uid },
  });
}

/** Rendezvous hashing: when a pod comes or goes, only the keys that it gets or had are moved. */
export function stickyChoice(pods: readonly Pod[], key: string): Pod {
  const weight = ({ metadata }: Pod) => createHash("sha256").update(`${key}\0${metadata.name}`).digest("hex");
  const [first, ...rest] = pods;
  if (first === undefined) throw new RunnerError("INTERNAL", "there is no pod to choose from");
  return rest.reduce((best, pod) => (weight(pod) > weight(best) ? pod : best), first);
}

async function onSameNode(cluster: Cluster, pods: readonly Pod[], options: ChoosePodOptions): Promise<readonly Pod[]> {
  const node = await ownNode(cluster, options).catch(() => undefined);
  const near = pods.filter(({ spec }) => spec.nodeName === node);
  if (near.length > 0) return near;
  options.report?.({
    type: "warning",
    id: "no-pod-on-this-node",
    message:
      node === undefined
        ? "which node this is can't be found out, so a pod on any node is taken"
        : `no ready pod runs on the node ${node}, so one on another node is taken`,
    hint: node === undefined ? "set NODE_NAME to the node's name (fieldRef spec.nodeName)" : "run the engine as a DaemonSet to have one on every node",
  });
  return pods;
}

/** The node's name from the environment, else the one of the pod that we are in. */
async function ownNode(cluster: Cluster, { source, signal }: ChoosePodOptions): Promise<string | undefined> {
  const { NODE_NAME: node, HOSTNAME: hostname } = source.env;
  if (node) return node;
  const namespace = readFileSync(join(source.serviceAccountDirectory, "namespace"), "utf8").trim();
  return hostname ? (await findPod(cluster, hostname, { namespace, signal }))?.spec.nodeName : undefined;
}

function noneReady(what: string, pods: readonly Pod[], { namespace, container }: ChoosePodOptions): RunnerError {
  if (pods.length === 0) {
    return new RunnerError("NOT_FOUND", `${what} has no pods in the namespace "${namespace}"`, {
      hint: `check it: kubectl get pods --show-labels -n ${namespace}`,
      driver: "kubernetes",
    });
  }
  const containerOf = (pod: Pod) => container ?? chooseContainer(pod, undefined);
  const states = pods.map((pod) => ({ pod, text: `"${pod.metadata.name}" ${describePod(pod, containerOf(pod))}` }));
  // The one that tells most of why.
  const telling = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined) ?? (pods[0] as Pod);
  const imageless = pods.every((pod) => pod.metadata.deletionTimestamp === undefined && lacksImage(pod, containerOf(pod)));
  return new RunnerError(imageless ? "IMAGE_PULL_FAILED" : "NOT_RUNNING", `${what} has no ready pod: ${states.map(({ text }) => text).join("; ")}`, {
    hint:
      pods.length === 1
        ? hintFor(telling, containerOf(telling))
        : pods.every((pod) => isDraining(pod))
          ? STOPPING_HINT
          : `see why: kubectl describe pods -n ${namespace}`,
    driver: "kubernetes",
    // One that is being deleted makes room for its successor.
    retryable: pods.some((pod) => pod.metadata.deletionTimestamp !== undefined || isOnItsWay(pod, containerOf(pod))),
    details: {
      ...placeOf(telling, containerOf(telling)),
      pods: states.map(({ pod }) => pod.metadata.name),
      ...(pods.every((pod) => isDraining(pod)) && { state: "draining" }),
    },
  });
}
