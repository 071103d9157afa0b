import { RunnerError, suggest } from "@anyrunner/core/driver";
import { LABEL_PREFIX } from "@anyrunner/engine-container";

import { findJson, requestJson } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";

/** What the API says of a pod, as far as it is used here. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  readonly spec: {
    readonly restartPolicy?: string;
    readonly nodeName?: string;
    readonly containers: readonly { readonly name: string; readonly image?: string }[];
    readonly volumes?: readonly { readonly name: string; readonly persistentVolumeClaim?: { readonly claimName: string }; readonly ephemeral?: object }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly startTime?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: TerminatedState;
}

interface TerminatedState {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
  readonly finishedAt?: string;
}

export interface PodCall {
  readonly namespace: string;
  readonly signal?: AbortSignal | undefined;
}

/** The pod of that name; `undefined` when there is none. */
export function findPod(cluster: Cluster, name: string, { namespace, signal }: PodCall): Promise<Pod | undefined> {
  return findJson<Pod>(cluster, { path: podPath(namespace, name), signal });
}

export async function listPods(cluster: Cluster, selector: string | undefined, { namespace, signal }: PodCall): Promise<readonly Pod[]> {
  const { items } = await requestJson<{ readonly items: readonly Pod[] }>(cluster, {
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`,
    query: { labelSelector: selector },
    signal,
  });
  return items;
}

export function podPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
}

/**
 * The container to talk to: the wanted one, else kubectl's choice (its annotation, else the first). Fails with NOT_FOUND when the pod
 * has no such container.
 */
export function chooseContainer(pod: Pod, wanted: string | undefined): string {
  const names = pod.spec.containers.map(({ name }) => name);
  const annotated = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  const name = wanted ?? (annotated !== undefined && names.includes(annotated) ? annotated : names[0]);
  if (name !== undefined && names.includes(name)) return name;
  throw new RunnerError("NOT_FOUND", `the pod "${pod.metadata.name}" has no container "${name}"`, { hint: `it has ${names.join(", ")}`, driver: "kubernetes" });
}

export function containerStatus(pod: Pod, container: string): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === container);
}

/** Whether an exec can work: the container runs, ready or not, terminating or not. */
export function isRunning(pod: Pod, container: string): boolean {
  return containerStatus(pod, container)?.state?.running !== undefined;
}

/** Whether the container runs after it had ended before, so that its log begins anew. */
export function runsAgain(pod: Pod, container: string): boolean {
  return isRunning(pod, container) && containerStatus(pod, container)?.lastState?.terminated !== undefined;
}

export function isReady(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
}

/** On a pod: until when it takes no new sessions of ours, since it is being stopped. */
export const DRAINING_ANNOTATION = `${LABEL_PREFIX}draining`;

/** A mark that was left behind by a stop that was killed is void after a while. */
export function isDraining({ metadata }: Pod, now: number = Date.now()): boolean {
  return Date.parse(metadata.annotations?.[DRAINING_ANNOTATION] ?? "") > now;
}

const HOPELESS = /^(ErrImage|ImagePull|ErrImageNeverPull|InvalidImage|RegistryUnavailable|CreateContainer|RunContainerError)/;
/** An engine whose predecessor still holds the cache fails once or twice. */
const RESTARTS_LIMIT = 3;

/**
 * Whether it may become ready, or make room for one that will, without anyone's help: what is being started, started again or deleted,
 * but not what is over, wrongly configured, or fails again and again.
 */
export function isOnItsWay(pod: Pod, container: string): boolean {
  const status = containerStatus(pod, container);
  if (isDraining(pod)) return false;
  if (pod.status?.phase !== "Pending" && pod.status?.phase !== "Running") return false;
  if (status?.state?.terminated !== undefined && pod.spec.restartPolicy === "Never") return false;
  return !HOPELESS.test(status?.state?.waiting?.reason ?? "") && (isRunning(pod, container) || (status?.restartCount ?? 0) < RESTARTS_LIMIT);
}

/** Fails with NOT_RUNNING, also for one that is being stopped by us, or with IMAGE_PULL_FAILED where that is why. */
export function requireRunning(pod: Pod, container: string): void {
  if (!isRunning(pod, container) || isDraining(pod)) throw podNotRunning(pod, container);
}

/** What to do about an engine that is being stopped. */
export const STOPPING_HINT = "it is being stopped: start it again when it has ended, with anyrunner start, or use another runner";

/** Whether it waits for an image that can't be had. */
export function lacksImage(pod: Pod, container: string): boolean {
  return /^(ErrImage|ImagePull|InvalidImageName|RegistryUnavailable)/.test(containerStatus(pod, container)?.state?.waiting?.reason ?? "");
}

export function podNotRunning(pod: Pod, container: string): RunnerError {
  const { name, namespace } = pod.metadata;
  const message = `the pod "${name}" ${describePod(pod, container)}`;
  const details = { ...placeOf(pod, container), phase: pod.status?.phase ?? "Unknown" };
  if (lacksImage(pod, container)) {
    return new RunnerError("IMAGE_PULL_FAILED", message, { hint: `see why: kubectl describe pod ${name} -n ${namespace}`, driver: "kubernetes", details });
  }
  return new RunnerError("NOT_RUNNING", message, {
    hint: hintFor(pod, container),
    driver: "kubernetes",
    retryable: isOnItsWay(pod, container),
    details: { ...details, ...(isDraining(pod) && { state: "draining" }) },
  });
}

/** In the details of an error: which pod it is about. */
export function placeOf(
  { metadata: { name, namespace, uid } }: Pod,
  container: string,
): { readonly pod: string; readonly namespace: string; readonly container: string; readonly uid: string } {
  return { pod: name, namespace, container, uid };
}

/** What to do about a pod that doesn't run. */
export function hintFor(pod: Pod, container: string): string {
  const { name, namespace } = pod.metadata;
  const { state } = containerStatus(pod, container) ?? {};
  if (isDraining(pod)) return STOPPING_HINT;
  if (ranOutOfMemory(pod, container)) return `give it more memory: the limit of its container "${container}", or memory= where anyrunner made it`;
  if (state?.waiting?.reason === "CrashLoopBackOff" || state?.terminated !== undefined)
    return `see why it ends: kubectl logs ${name} -c ${container} -n ${namespace} --previous`;
  if (/unbound immediate PersistentVolumeClaim/.test(unscheduled(pod)?.message ?? ""))
    return "give its claim a volume; for an engine that anyrunner makes, name a class with storage-class=, a claim with claim=, or write storage=none";
  return `see why: kubectl describe pod ${name} -n ${namespace}`;
}

function unscheduled(pod: Pod) {
  return pod.status?.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
}

function ranOutOfMemory(pod: Pod, container: string): boolean {
  const { state, lastState } = containerStatus(pod, container) ?? {};
  return (state?.terminated ?? lastState?.terminated)?.reason === "OOMKilled";
}

export async function podNotFound(cluster: Cluster, name: string, call: PodCall): Promise<RunnerError> {
  const names = await listPods(cluster, undefined, call).then(
    (pods) => pods.map(({ metadata }) => metadata.name),
    () => [],
  );
  const nearest = suggest(name, names);
  return new RunnerError("NOT_FOUND", `there is no pod "${name}" in the namespace "${call.namespace}" of ${cluster.where}`, {
    hint: `${nearest === undefined ? "" : `did you mean "${nearest}"? `}\`kubectl get pods -n ${call.namespace}\` lists the pods`,
    driver: "kubernetes",
    details: { pod: name, namespace: call.namespace },
  });
}

/** `is running, restarted 2 times, last with exit code 137 (out of memory)`, `is Pending: …`, and so on. */
export function describePod(pod: Pod, container: string): string {
  const status = containerStatus(pod, container);
  const restarts = status?.restartCount ?? 0;
  const last = status?.lastState?.terminated;
  const restarted =
    restarts === 0 ? "" : `, restarted ${restarts} ${restarts === 1 ? "time" : "times"}${last === undefined ? "" : `, last with ${describeEnd(last)}`}`;
  const leaving = pod.metadata.deletionTimestamp !== undefined ? " and is being deleted" : isDraining(pod) ? " and is being stopped" : "";
  const { phase = "Unknown", reason, message } = pod.status ?? {};
  if (status?.state?.running !== undefined) return `is running${isReady(pod) || leaving !== "" ? "" : ", not ready"}${leaving}${restarted}`;
  const { terminated, waiting } = status?.state ?? {};
  if (terminated !== undefined) return `is ${phase}${leaving}: its container "${container}" ended with ${describeEnd(terminated)}${restarted}`;
  if (waiting !== undefined)
    return `is ${phase}${leaving}: its container "${container}" waits (${waiting.reason ?? "no reason given"}${waiting.message ? `: ${waiting.message}` : ""})${restarted}`;
  const condition = unscheduled(pod);
  const why = [reason ?? condition?.reason, message ?? condition?.message].filter((text) => text).join(": ");
  return `is ${phase}${leaving}${why === "" ? "" : ` (${why})`}`;
}

function describeEnd({ exitCode, reason, message }: TerminatedState): string {
  const why =
    reason === "OOMKilled" ? " (killed for lack of memory)" : reason === undefined || reason === "Error" || reason === "Completed" ? "" : ` (${reason})`;
  return `exit code ${exitCode}${why}${message ? `: ${message.trim().split("\n").at(-1)?.slice(0, 200)}` : ""}`;
}
