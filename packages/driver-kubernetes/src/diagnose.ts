import { setTimeout as sleep } from "node:timers/promises";

import { signalWithin, type ConnectionDiagnostics } from "@anyrunner/core/driver";

import type { ClusterLocation, ClusterSource } from "./cluster-config.ts";
import { openCluster, type Cluster } from "./cluster.ts";
import type { ExecDuplex } from "./exec-duplex.ts";
import { containerStatus, describePod, findPod, type ContainerStatus, type Pod } from "./pod.ts";
import { readLastLines } from "./pod-log.ts";
import type { PodPlace } from "./run-in-pod.ts";

const DIAGNOSTICS_BUDGET_MS = 4500;
/** A kubelet looks at its containers once a second: so long is an end waited for that it hasn't seen yet. */
const END_BUDGET_MS = 3000;
const END_PAUSE_MS = 200;
/** The program in the container was killed, most likely with all the others. */
const KILLED = 137;
const LAST_OUTPUT_BYTES = 4096;
const LAST_LINES = 30;
/** Clocks of the cluster and of this machine differ. */
const CLOCK_SKEW_MS = 10_000;

export interface DiagnosePodOptions {
  readonly location: ClusterLocation;
  readonly source: ClusterSource;
  readonly place: PodPlace;
  readonly duplex: Pick<ExecDuplex, "exitCode" | "stderrTail">;
  /** When the stream was opened, ms since 1970. */
  readonly openedAt: number;
  readonly signal?: AbortSignal | undefined;
}

/** What is known about the pod behind a stream; never throws. */
export async function diagnosePod(options: DiagnosePodOptions): Promise<ConnectionDiagnostics> {
  const signal = signalWithin(DIAGNOSTICS_BUDGET_MS, options.signal);
  const { place, duplex, location, source } = options;
  const relay = { exitCode: duplex.exitCode(), lastOutput: duplex.stderrTail() };
  try {
    const cluster = await openCluster(location, source, signal);
    const pod = await findAfterEnd(cluster, options, signal);
    if (pod === undefined) return { summary: `the pod "${place.pod}" is gone`, ...known(relay) };
    const ended = endSince(containerStatus(pod, place.container), options.openedAt);
    const log = ended === undefined && relay.lastOutput !== "" ? "" : await lastLog(cluster, pod, place, ended?.previous ?? false, signal).catch(() => "");
    return {
      summary: `the pod "${place.pod}" ${describePod(pod, place.container)}`,
      oomKilled: ended?.oomKilled ?? false,
      ...known(ended === undefined ? { ...relay, lastOutput: relay.lastOutput || log } : { exitCode: ended.exitCode, lastOutput: log || relay.lastOutput }),
    };
  } catch (error) {
    return { summary: error instanceof Error ? error.message : String(error), ...known(relay) };
  }
}

/** The pod; when its container was killed, as the cluster sees it once it knows. */
async function findAfterEnd(cluster: Cluster, { place, duplex, openedAt }: DiagnosePodOptions, signal: AbortSignal): Promise<Pod | undefined> {
  const started = performance.now();
  for (let looks = 1; ; looks++) {
    const pod = await findPod(cluster, place.pod, { namespace: place.namespace, signal });
    const ended = pod === undefined || endSince(containerStatus(pod, place.container), openedAt) !== undefined;
    const patient = looks === 1 || performance.now() - started < END_BUDGET_MS;
    if (ended || duplex.exitCode() !== KILLED || !patient) return pod;
    await sleep(END_PAUSE_MS, undefined, { signal });
  }
}

interface ContainerEnd {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** The container runs again. */
  readonly previous: boolean;
}

/** How the container ended, if it did since the stream was opened. */
function endSince(status: ContainerStatus | undefined, openedAt: number): ContainerEnd | undefined {
  const now = status?.state?.terminated;
  const before = status?.lastState?.terminated;
  const ended = now ?? before;
  if (ended === undefined) return undefined;
  if (now === undefined && Date.parse(ended.finishedAt ?? "") < openedAt - CLOCK_SKEW_MS) return undefined;
  return { exitCode: ended.exitCode, oomKilled: ended.reason === "OOMKilled", previous: now === undefined };
}

function lastLog(cluster: Cluster, pod: Pod, place: PodPlace, previous: boolean, signal: AbortSignal): Promise<string> {
  return readLastLines(cluster, {
    namespace: place.namespace,
    pod: pod.metadata.name,
    container: place.container,
    tail: LAST_LINES,
    bytes: LAST_OUTPUT_BYTES,
    previous,
    signal,
  });
}

function known(facts: { readonly exitCode: number | undefined; readonly lastOutput: string }): Partial<ConnectionDiagnostics> {
  return { ...(facts.exitCode !== undefined && { exitCode: facts.exitCode }), ...(facts.lastOutput !== "" && { lastOutput: facts.lastOutput }) };
}
