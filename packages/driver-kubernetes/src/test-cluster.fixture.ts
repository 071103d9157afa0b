import { randomUUID } from "node:crypto";
import { request, type RequestOptions } from "node:https";
import { setTimeout as delay } from "node:timers/promises";

import { CONFORMANCE_IMAGE_LOG, CONFORMANCE_PEER_SCRIPT } from "@anyrunner/testkit";

import { locateCluster } from "./cluster-config.ts";
import { openCluster } from "./cluster.ts";
import { createKubernetesDriver } from "./driver.ts";
import type { Pod } from "./pod.ts";
import { countPrograms } from "./test-exec.fixture.ts";
import { NAMESPACE, skipReason, testEnv, testSource } from "./test-place.fixture.ts";

/** An image with a shell that the cluster has or can pull. */
const IMAGE = process.env["ANYRUNNER_TEST_KUBE_IMAGE"] ?? "busybox:1";

/** Its version, for reports. */
export async function clusterVersion(): Promise<string> {
  const { gitVersion } = await readVersion();
  return `Kubernetes ${gitVersion.replace(/^v/, "")}`;
}

/** The driver as it is on the test cluster: before 1.30 the writing side of a stream can't be ended alone. */
export async function clusterDriver(): Promise<() => ReturnType<typeof createKubernetesDriver>> {
  const old = skipReason === undefined && Number.parseInt((await readVersion()).minor, 10) < 30;
  return () => {
    const driver = createKubernetesDriver({ env: testEnv });
    return old ? { ...driver, capabilities: driver.capabilities.filter((capability) => capability !== "half-close") } : driver;
  };
}

function readVersion(): Promise<{ readonly gitVersion: string; readonly minor: string }> {
  return callCluster("GET", "/version");
}

export interface TestPod extends AsyncDisposable {
  readonly name: string;
  /** Programs in it beside its own command. */
  leftovers(): Promise<number>;
  kill(): Promise<void>;
  remove(): Promise<void>;
}

export interface TestPodOptions {
  /** Default: logs one line and waits. */
  readonly command?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Puts the conformance peer in as `buildctl`. Default true. */
  readonly relay?: boolean;
  /** What to wait for. Default `running`. */
  readonly until?: (pod: Pod) => boolean;
  readonly resources?: object;
  readonly restartPolicy?: "Always" | "Never";
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** A folder that outlives a restart of the container. */
  readonly scratch?: string;
}

const WAIT = `trap 'exit 0' TERM INT; echo "${CONFORMANCE_IMAGE_LOG}"; while :; do sleep 3600 & wait $!; done`;

/** Runs a pod on the cluster. */
export async function runTestPod(options: TestPodOptions = {}): Promise<TestPod> {
  const name = `anyrunner-test-${randomUUID().slice(0, 8)}`;
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/${name}`;
  await ensurePeer();
  await callCluster("POST", `/api/v1/namespaces/${NAMESPACE}/pods`, { metadata: { name, labels: options.labels ?? {} }, spec: podSpec(options) });
  const remove = async () => {
    await callCluster("DELETE", path, { gracePeriodSeconds: 0 }, [404]);
    await untilPod(name, (pod) => pod === undefined);
  };
  const until =
    options.until ??
    ((pod) =>
      pod.status?.containerStatuses?.[0]?.state?.running !== undefined &&
      pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true);
  await untilPod(name, (pod) => pod !== undefined && until(pod)).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return { name, leftovers: () => countPrograms(name), kill: remove, remove, [Symbol.asyncDispose]: remove };
}

/** Runs a StatefulSet of one such pod. */
export async function runTestSet(): Promise<TestPod> {
  const name = `anyrunner-test-${randomUUID().slice(0, 8)}`;
  const labels = { "anyrunner-test": name };
  await ensurePeer();
  await callCluster("POST", SETS, {
    metadata: { name },
    spec: { serviceName: name, replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec({}) } },
  });
  const remove = () => removeSet(name);
  await untilPod(`${name}-0`, (pod) => pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true);
  return { name, leftovers: () => countPrograms(`${name}-0`), kill: remove, remove, [Symbol.asyncDispose]: remove };
}

/** Removes a StatefulSet, kills its pod, and waits until both are gone. */
export async function removeSet(name: string): Promise<void> {
  await callCluster("DELETE", `${SETS}/${name}`, { propagationPolicy: "Background" }, [404]);
  await callCluster("DELETE", `/api/v1/namespaces/${NAMESPACE}/pods/${name}-0`, { gracePeriodSeconds: 0 }, [404]);
  await untilPod(`${name}-0`, (pod) => pod === undefined);
}

const SETS = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`;

export function podSpec({
  command = ["sh", "-c", WAIT],
  relay = true,
  scratch,
  resources = {},
  restartPolicy = "Always",
  nodeSelector = {},
}: TestPodOptions): object {
  const volumeMounts = [
    ...(relay ? [{ name: "peer", mountPath: "/bin/buildctl", subPath: "buildctl" }] : []),
    ...(scratch === undefined ? [] : [{ name: "scratch", mountPath: scratch }]),
  ];
  return {
    restartPolicy,
    nodeSelector,
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    containers: [
      {
        name: "engine",
        image: IMAGE,
        command,
        resources,
        volumeMounts,
      },
    ],
    volumes: [
      { name: "peer", configMap: { name: "anyrunner-test-peer", defaultMode: 0o755 } },
      { name: "scratch", emptyDir: {} },
    ],
  };
}

/** One request to the cluster, as its administrator. */
export async function callCluster<T = unknown>(method: string, path: string, body?: object, allowed: readonly number[] = []): Promise<T> {
  const cluster = await openCluster(await locateCluster(testSource, undefined), testSource, undefined);
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const content = body === undefined ? "" : JSON.stringify(body);
  // Of a DELETE, node tells no length by itself, and the server would see no body.
  const headers = { ...cluster.options.headers, "content-type": type, "content-length": Buffer.byteLength(content) };
  const requestOptions: RequestOptions = { ...cluster.options, method, headers };
  const { status, text } = await new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const outgoing = request(cluster.server + path, requestOptions, (response) => {
      let received = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (received += chunk));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text: received }));
    });
    outgoing.once("error", reject);
    outgoing.end(content);
  });
  if ((status < 200 || status > 299) && !allowed.includes(status)) throw new Error(`${method} ${path}: ${status} ${text}`);
  return JSON.parse(text) as T;
}

const WAIT_STEPS = 1200;

/** Waits until the pod is as wanted; `undefined` stands for one that is gone. */
export async function untilPod(name: string, wanted: (pod: Pod | undefined) => boolean): Promise<Pod | undefined> {
  let last: unknown;
  for (let step = 0; step < WAIT_STEPS; step++) {
    const answer = await callCluster<Pod & { readonly kind: string }>("GET", `/api/v1/namespaces/${NAMESPACE}/pods/${name}`, undefined, [404]);
    const pod = answer.kind === "Status" ? undefined : answer;
    if (wanted(pod)) return pod;
    last = pod?.status;
    await delay(50);
  }
  throw new Error(`the pod ${name} did not get into the state that the test wants: ${JSON.stringify(last)}`);
}

async function ensurePeer(): Promise<void> {
  const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
  await callCluster("POST", path, { metadata: { name: "anyrunner-test-peer" }, data: { buildctl: CONFORMANCE_PEER_SCRIPT } }, [409]);
}
