import type { JsonObject, RunnerState } from "@anyrunner/core/driver";

import type { Cluster } from "./cluster.ts";
import { readFailures, type EventSubject } from "./pod-events.ts";
import { containerStatus, describePod, isReady, isRunning, type Pod, type PodCall } from "./pod.ts";
import { findWorkload, type WorkloadChoice } from "./workload.ts";

/** How a pod is, with what happened to it when it isn't ready. */
export async function stateOfPod(cluster: Cluster, pod: Pod, container: string, call: PodCall): Promise<RunnerState> {
  const status = containerStatus(pod, container);
  const { running, waiting, terminated } = status?.state ?? {};
  const ended = terminated ?? status?.lastState?.terminated;
  const starting = pod.status?.phase === "Pending" || waiting !== undefined;
  return {
    status: isRunning(pod, container) ? "running" : starting ? "starting" : "stopped",
    ...(status?.image !== undefined && { image: status.image }),
    ...(running?.startedAt !== undefined && { startedAt: running.startedAt }),
    ...(ended !== undefined && { exitCode: ended.exitCode, oomKilled: ended.reason === "OOMKilled" }),
    details: {
      pod: pod.metadata.name,
      namespace: pod.metadata.namespace,
      container,
      phase: pod.status?.phase ?? "Unknown",
      restarts: status?.restartCount ?? 0,
      state: describePod(pod, container),
      ...(pod.spec.nodeName !== undefined && { node: pod.spec.nodeName }),
      ...(!isReady(pod) && (await happenings(cluster, subjectsOf(pod), call))),
    },
  };
}

/** How a workload is that has no pod: stopped, or kept from making one, as in a namespace that allows no privileged pods. */
export async function stateWithoutPod(cluster: Cluster, choice: WorkloadChoice, call: PodCall): Promise<RunnerState> {
  const workload = await findWorkload(cluster, choice, call);
  if (workload === undefined) return { status: "missing" };
  const details = { namespace: call.namespace, workload: choice.name };
  if (workload.spec.replicas === 0) return { status: "stopped", details };
  return { status: "starting", details: { ...details, state: "has no pod", ...(await happenings(cluster, [MAKERS[choice.resource](choice.name)], call)) } };
}

/** What makes the pods of a workload. */
const MAKERS: Readonly<Record<WorkloadChoice["resource"], (name: string) => EventSubject>> = {
  statefulsets: (name) => ({ kind: "StatefulSet", name }),
  daemonsets: (name) => ({ kind: "DaemonSet", name }),
  deployments: (name) => ({ kind: "ReplicaSet", name: `${name}-`, isPrefix: true }),
};

type PodVolume = NonNullable<Pod["spec"]["volumes"]>[number];

/** A pod without a node often waits for its volume. */
function subjectsOf({ metadata, spec }: Pod): readonly EventSubject[] {
  const claimOf = ({ name, persistentVolumeClaim: claim, ephemeral }: PodVolume) =>
    claim?.claimName ?? (ephemeral === undefined ? [] : `${metadata.name}-${name}`);
  const claims = spec.nodeName === undefined ? (spec.volumes ?? []).flatMap(claimOf) : [];
  return [{ kind: "Pod", name: metadata.name }, ...claims.map((name) => ({ kind: "PersistentVolumeClaim" as const, name }))];
}

async function happenings(cluster: Cluster, subjects: readonly EventSubject[], call: PodCall): Promise<JsonObject> {
  const { events, unknown } = await readFailures(cluster, subjects, call);
  return { ...(events.length > 0 && { events }), ...(unknown !== undefined && { eventsUnknown: unknown }) };
}
