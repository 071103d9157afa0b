import { pause, RunnerError, STOP_GRACE_MS, type CallOptions, type DestroyOptions, type StopOptions } from "@anyrunner/core/driver";
import { drainEngine, type DrainedEngine } from "@anyrunner/engine-container";

import { tellCacheLoss, watchLastWords } from "./cache-fate.ts";
import { findJson } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import { markDraining } from "./drain-mark.ts";
import { ownClaim } from "./engine-manifests.ts";
import { removeClaim, removeEngineObjects } from "./engine-objects.ts";
import type { KubernetesHandle } from "./handle.ts";
import { countLiveSessions, engineListens } from "./live-sessions.ts";
import { findPod, isDraining, isRunning, podPath, type Pod, type PodCall } from "./pod.ts";
import type { PodPlace } from "./run-in-pod.ts";
import { findWorkload, scaleWorkload, WORKLOAD_NAMES, type WorkloadChoice } from "./workload.ts";

const LOOK_MS = 500;
/** What the questions of a stop take beside its waits, and how far the clocks of clients may be apart. */
const MARK_MARGIN_MS = 60_000;
/** How long a pod that runs may take to begin to listen before its log is read all the same. */
const LISTEN_BUDGET_MS = 5000;

/** Scales the workload up, waits for its pod and its engine, and tells when that discarded its cache. Starting what runs succeeds. Fails with NOT_FOUND, UNSUPPORTED for a single pod. */
export async function startWorkload(
  cluster: Cluster,
  handle: KubernetesHandle,
  { podRuns, report, ...call }: PodCall & CallOptions & { readonly podRuns: (choice: WorkloadChoice) => Promise<unknown> },
): Promise<void> {
  const { choice, pod, container, namespace } = handle.endpoint;
  if (choice.kind !== "workload") {
    const found = await findPod(cluster, pod, call);
    if (found !== undefined && isRunning(found, container)) return;
    throw noWorkload(pod);
  }
  const workload = await findWorkload(cluster, choice, call);
  if (workload === undefined) throw workloadNotFound(choice, call);
  if (workload.spec.replicas !== 0) {
    const found = await findPod(cluster, pod, call);
    // What a stop that was killed has left behind.
    if (found !== undefined && isDraining(found)) await markDraining(cluster, pod, { ...call, report, until: undefined });
    return void (await podRuns(choice));
  }
  await scaleWorkload(cluster, choice, 1, call);
  await podRuns(choice);
  if (!handle.owned) return;
  const place = { namespace, pod, container };
  const giveUpAt = performance.now() + LISTEN_BUDGET_MS;
  while (!(await engineListens(cluster, place, call.signal)) && performance.now() < giveUpAt) await pause(LOOK_MS, call.signal);
  await tellCacheLoss(cluster, place, choice.name, { signal: call.signal, report });
}

/**
 * Waits until no session uses the engine, scales the workload to 0 and waits until its pod is gone; each may take `graceMs`, then the pod is
 * killed. What is gone is stopped. Fails with TIMEOUT when sessions are still there, UNSUPPORTED for a single pod.
 */
export async function stopWorkload(
  cluster: Cluster,
  handle: KubernetesHandle,
  { graceMs = STOP_GRACE_MS, drainMs = graceMs, signal, report, namespace }: StopOptions & PodCall,
): Promise<void> {
  const { choice, pod, container } = handle.endpoint;
  const call = { namespace, signal };
  if (choice.kind !== "workload") {
    if ((await findPod(cluster, pod, call)) === undefined) return;
    throw noWorkload(pod);
  }
  const workload = await findWorkload(cluster, choice, call);
  if (workload === undefined) return;
  const place = { namespace, pod, container };
  const running = await findPod(cluster, pod, call);
  const words = graceMs > 0 && running !== undefined ? watchLastWords(cluster, place, { signal, report }) : undefined;
  const stop = async () => {
    if (workload.spec.replicas !== 0) await scaleWorkload(cluster, choice, 0, call);
    if (running === undefined || (await isGoneIn(graceMs, cluster, running, call))) return;
    await findJson(cluster, { method: "DELETE", path: podPath(namespace, pod), body: { gracePeriodSeconds: 0 }, signal });
    await isGoneIn(STOP_GRACE_MS, cluster, running, call);
  };
  try {
    if (words === undefined || workload.spec.replicas === 0) await stop();
    else
      await drainEngine(drained(cluster, place, { until: new Date(Date.now() + drainMs + graceMs + MARK_MARGIN_MS), report }), {
        drainMs,
        signal,
        report,
        thenStop: stop,
      });
  } catch (error) {
    words?.end();
    throw error;
  }
  await words?.tell(choice.name);
}

function drained(cluster: Cluster, place: PodPlace, { until, report }: CallOptions & { readonly until: Date }): DrainedEngine {
  const { namespace, pod } = place;
  return {
    driver: "kubernetes",
    name: pod,
    async countSessions({ signal }) {
      const found = await findPod(cluster, pod, { namespace, signal });
      return found === undefined || !isRunning(found, place.container) ? "gone" : countLiveSessions(cluster, place, signal);
    },
    async mark({ signal }) {
      await markDraining(cluster, pod, { namespace, signal, report, until });
      return () => markDraining(cluster, pod, { namespace, until: undefined });
    },
  };
}

/** Removes an engine that we made, and its claim when asked. Fails with UNSUPPORTED for what is not ours. */
export async function destroyEngine(cluster: Cluster, handle: KubernetesHandle, options: DestroyOptions & PodCall): Promise<void> {
  const { choice, pod } = handle.endpoint;
  const { namespace, signal, volume } = options;
  if (!handle.owned || choice.kind !== "workload") {
    throw new RunnerError("UNSUPPORTED", `anyrunner did not make the pod "${pod}", so it does not remove it`, {
      hint: `remove it yourself: kubectl delete pod ${pod} -n ${namespace}`,
      driver: "kubernetes",
    });
  }
  await stopWorkload(cluster, handle, { namespace, signal });
  await removeEngineObjects(cluster, choice.name, { namespace, signal });
  if (volume) await removeClaim(cluster, ownClaim(choice.name), { namespace, signal });
}

/** A successor of the same name is another pod. */
async function isGoneIn(budgetMs: number, cluster: Cluster, { metadata: { name, uid } }: Pod, call: PodCall): Promise<boolean> {
  for (let waited = 0; ; waited += LOOK_MS) {
    if ((await findPod(cluster, name, call))?.metadata.uid !== uid) return true;
    if (waited >= budgetMs) return false;
    await pause(LOOK_MS, call.signal);
  }
}

function workloadNotFound(choice: WorkloadChoice, { namespace }: PodCall): RunnerError {
  return new RunnerError("NOT_FOUND", `there is no ${WORKLOAD_NAMES[choice.resource]} "${choice.name}" in the namespace "${namespace}"`, {
    hint: `\`kubectl get ${choice.resource} -n ${namespace}\` lists them`,
    driver: "kubernetes",
  });
}

function noWorkload(pod: string): RunnerError {
  return new RunnerError("UNSUPPORTED", `the pod "${pod}" was not named by its workload, so it can't be started or stopped`, {
    hint: "name it as sts/NAME or deploy/NAME",
    driver: "kubernetes",
  });
}
