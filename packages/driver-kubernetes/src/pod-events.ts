import { RunnerError } from "@anyrunner/core/driver";

import { requestJson } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import type { PodCall } from "./pod.ts";

/** What happened to it, in the order of time; or why that can't be known. */
export interface KnownEvents {
  readonly events: readonly string[];
  readonly unknown?: string | undefined;
}

interface ClusterEvent {
  readonly involvedObject: { readonly name?: string };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

/** What events are about: all of the kind whose name fits. */
export interface EventSubject {
  readonly kind: "Pod" | "StatefulSet" | "ReplicaSet" | "DaemonSet" | "PersistentVolumeClaim";
  readonly name: string;
  /** The name is the beginning of the subjects' names. */
  readonly isPrefix?: boolean;
}

const MOST = 5;
const BUDGET_MS = 5000;
const LONGEST = 400;
/** A claim that waits for a volume is no warning to Kubernetes. */
const FAILURE = /fail|error|invalid|exceeded|lost/i;

/** The last events of the subjects that tell of a failure. Fails with ABORTED only. */
export async function readFailures(cluster: Cluster, subjects: readonly EventSubject[], { namespace, signal }: PodCall): Promise<KnownEvents> {
  const budget = signal === undefined ? AbortSignal.timeout(BUDGET_MS) : AbortSignal.any([signal, AbortSignal.timeout(BUDGET_MS)]);
  try {
    const found = await Promise.all(subjects.map((subject) => readEvents(cluster, subject, { namespace, signal: budget })));
    const failures = found.flat().filter(({ type, reason = "" }) => type === "Warning" || FAILURE.test(reason));
    return {
      events: failures
        .toSorted((one, other) => timeOf(one).localeCompare(timeOf(other)))
        .slice(-MOST)
        .map(formatEvent),
    };
  } catch (error) {
    signal?.throwIfAborted();
    return { events: [], unknown: RunnerError.is(error) ? error.message : String(error) };
  }
}

async function readEvents(cluster: Cluster, { kind, name, isPrefix = false }: EventSubject, { namespace, signal }: PodCall): Promise<readonly ClusterEvent[]> {
  const fieldSelector = isPrefix ? `involvedObject.kind=${kind}` : `involvedObject.kind=${kind},involvedObject.name=${name}`;
  const { items } = await requestJson<{ readonly items: readonly ClusterEvent[] }>(cluster, {
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`,
    query: { fieldSelector },
    signal,
  });
  return items.filter(({ involvedObject }) => (isPrefix ? involvedObject.name?.startsWith(name) : involvedObject.name === name));
}

/** The API server gives times with and without fractions of a second, always in UTC. */
function timeOf({ series, lastTimestamp, eventTime, firstTimestamp }: ClusterEvent): string {
  return series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? "";
}

/** `FailedScheduling: 0/1 nodes are available: … (3 times, last at 2026-01-01T00:00:00Z)` */
function formatEvent(event: ClusterEvent): string {
  const times = event.series?.count ?? event.count ?? 1;
  const at = timeOf(event);
  const often = times > 1 ? `${times} times${at === "" ? "" : `, last at ${at}`}` : at === "" ? "" : `at ${at}`;
  const message = (event.message ?? "").trim().replaceAll(/\s+/g, " ").slice(0, LONGEST);
  return `${event.reason ?? "an event"}: ${message}${often === "" ? "" : ` (${often})`}`;
}
