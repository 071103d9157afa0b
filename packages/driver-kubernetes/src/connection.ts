import { RunnerError, throwIfAborted, type CallOptions, type RunnerConnection } from "@anyrunner/core/driver";

import { choosePod } from "./choose-pod.ts";
import type { ClusterSource } from "./cluster-config.ts";
import type { ApiStatus } from "./cluster-error.ts";
import { openCluster, type Cluster } from "./cluster.ts";
import { diagnosePod } from "./diagnose.ts";
import { createExecDuplex } from "./exec-duplex.ts";
import { openExecSocket, type ExecSocket } from "./exec-socket.ts";
import { execStartError } from "./exec-status.ts";
import type { KubernetesHandle } from "./handle.ts";
import type { PodPlace } from "./run-in-pod.ts";
import { findPod, isRunning, podNotFound, podNotRunning } from "./pod.ts";

/** What an engine's image has for streams over an exec (engine protocol 2.2, 2.3). */
const RELAY_COMMAND = ["buildctl", "dial-stdio"] as const;

const EXPLANATION_BUDGET_MS = 3000;
/** An engine stops sending once the relay's input has ended; what lies on the way takes a while to be read. */
const GRACE_MS = 60_000;

export interface ConnectPodOptions extends CallOptions {
  readonly source: ClusterSource;
  readonly connectBudgetMs: number;
  readonly pingIntervalMs: number;
  readonly queueBytes: number;
}

/** Opens one stream through an exec in the pod. Fails with NOT_FOUND, NOT_RUNNING, and as every call of the cluster. */
export async function connectPod(handle: KubernetesHandle, options: ConnectPodOptions): Promise<RunnerConnection> {
  const cluster = await openCluster(handle.endpoint.cluster, options.source, options.signal);
  const { place, exec } = await dial(cluster, handle, options);
  const { where } = cluster;
  const openedAt = Date.now();
  const duplex = createExecDuplex(exec, {
    where,
    queueBytes: options.queueBytes,
    pingIntervalMs: options.pingIntervalMs,
    graceMs: GRACE_MS,
    startError: (status) => explainStatus(status, handle, place, options),
  });
  return {
    stream: duplex.stream,
    kind: "relay",
    halfClose: exec.halfClose,
    closed: duplex.closed,
    diagnostics: (call = {}) => diagnosePod({ location: handle.endpoint.cluster, source: options.source, place, duplex, openedAt, signal: call.signal }),
  };
}

/** Dials the pod of the handle; when that is gone, and another one may stand in for it, that one. */
async function dial(cluster: Cluster, handle: KubernetesHandle, options: ConnectPodOptions): Promise<{ readonly place: PodPlace; readonly exec: ExecSocket }> {
  const { namespace, pod, container, choice, namedContainer } = handle.endpoint;
  const pinned = { namespace, pod, container };
  try {
    return { place: pinned, exec: await openExec(cluster, pinned, options) };
  } catch (error) {
    const explained = await explainRefusal(error, cluster, pinned, options);
    if (choice.kind === "pod" || !RunnerError.is(explained) || (explained.code !== "NOT_FOUND" && explained.code !== "NOT_RUNNING")) throw explained;
    const next = await choosePod(cluster, choice, {
      namespace,
      container: namedContainer,
      source: options.source,
      report: options.report,
      signal: options.signal,
    });
    const place = { namespace, pod: next.pod.metadata.name, container: next.container };
    if (place.pod === pod) throw explained;
    return { place, exec: await openExec(cluster, place, options) };
  }
}

function openExec(cluster: Cluster, place: PodPlace, { connectBudgetMs, signal }: ConnectPodOptions): Promise<ExecSocket> {
  return openExecSocket(cluster, { ...place, command: RELAY_COMMAND, handshakeBudgetMs: connectBudgetMs, signal });
}

/** The API server says in a few words that it can't; the pod's state says why. */
async function explainRefusal(error: unknown, cluster: Cluster, place: PodPlace, { signal }: CallOptions): Promise<unknown> {
  throwIfAborted(signal);
  if (!RunnerError.is(error) || !["NOT_FOUND", "INVALID_OPTION", "COMMAND_FAILED", "CONNECTION_LOST", "NOT_RUNNING"].includes(error.code)) return error;
  const call = { namespace: place.namespace, signal };
  try {
    const pod = await findPod(cluster, place.pod, call);
    if (pod === undefined) return await podNotFound(cluster, place.pod, call);
    return isRunning(pod, place.container) || !pod.spec.containers.some(({ name }) => name === place.container) ? error : podNotRunning(pod, place.container);
  } catch {
    throwIfAborted(signal);
    return error;
  }
}

/** The same for an exec that was accepted and then failed. */
async function explainStatus(status: ApiStatus, handle: KubernetesHandle, place: PodPlace, { source }: ConnectPodOptions): Promise<RunnerError> {
  const { cluster: location } = handle.endpoint;
  const where = location.kind === "in-cluster" ? location.server : `of the context ${location.context}`;
  const error = execStartError(status, { ...place, program: RELAY_COMMAND[0], where });
  if (error.code === "WRONG_SERVER") return error;
  const signal = AbortSignal.timeout(EXPLANATION_BUDGET_MS);
  const explained = await openCluster(location, source, signal)
    .then((cluster) => explainRefusal(error, cluster, place, { signal }))
    .catch(() => error);
  return RunnerError.is(explained) ? explained : error;
}
