import { RunnerError, throwIfAborted, unavailable, type CallOptions, type ProbeResult, type ProvisionOptions, type RunnerDriver } from "@anyrunner/core/driver";
import { ENGINE_LABELS } from "@anyrunner/engine-container";

import { choosePod, type ChosenPod } from "./choose-pod.ts";
import { claimUsage } from "./claim-usage.ts";
import { locateCluster, SERVICE_ACCOUNT_DIRECTORY, type ClusterLocation, type ClusterSource } from "./cluster-config.ts";
import { openCluster, type Cluster } from "./cluster.ts";
import { connectPod } from "./connection.ts";
import type { KubernetesHandle } from "./handle.ts";
import { destroyEngine, startWorkload, stopWorkload } from "./lifecycle.ts";
import { errorWithHandle } from "./error-with-handle.ts";
import { describePod, findPod, podNotFound, runsAgain } from "./pod.ts";
import { readLogBeyondRestart, readPodLog } from "./pod-log.ts";
import { stateOfPod, stateWithoutPod } from "./pod-state.ts";
import { createLeaseKeeper } from "./lease-keeper.ts";
import { engineHandle, listEngines } from "./list-engines.ts";
import { provisionEngine } from "./provision-engine.ts";
import { waitForPod } from "./wait-for-pod.ts";
import type { WorkloadChoice } from "./workload.ts";
import { ALL_OPTIONS, parseKubernetesTarget, type KubernetesTarget } from "./target.ts";

export interface KubernetesSettings {
  /** Where `KUBECONFIG`, `HOME`, `KUBERNETES_SERVICE_HOST` and `NODE_NAME` are read. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The engine version that belongs to the project, for `version=auto`. Default: not known. */
  readonly engineVersion?: string | undefined;
  /** The folder of the pod's service account. Default: where Kubernetes mounts it. */
  readonly serviceAccountDirectory?: string | undefined;
  /** How long the API server may take to accept an exec, in ms. Default 15,000. */
  readonly connectBudgetMs?: number | undefined;
  /** Pause between pings on a stream, in ms. Default 15,000; after two without an answer the stream counts as lost. */
  readonly pingIntervalMs?: number | undefined;
  /** How long to wait for a pod that is on its way, in ms. Default 120,000. */
  readonly readyBudgetMs?: number | undefined;
  /** Pause between two looks at such a pod, in ms. Default 1000. */
  readonly pollIntervalMs?: number | undefined;
  /** How many written bytes of a stream may wait here before writes wait, too. Default 2 MiB. */
  readonly queueBytes?: number | undefined;
}

interface Entered {
  readonly location: ClusterLocation;
  readonly cluster: Cluster;
  readonly namespace: string;
}

/** A driver for engines in pods, found or made, reached by exec through the API server, without kubectl. */
export function createKubernetesDriver(settings: KubernetesSettings = {}): RunnerDriver<KubernetesTarget, KubernetesHandle> {
  const leases = createLeaseKeeper();
  const source = (): ClusterSource => ({
    env: settings.env ?? process.env,
    serviceAccountDirectory: settings.serviceAccountDirectory ?? SERVICE_ACCOUNT_DIRECTORY,
  });

  async function enter(target: Pick<KubernetesTarget, "context" | "namespace">, options: CallOptions): Promise<Entered> {
    throwIfAborted(options.signal);
    const location = await locateCluster(source(), target.context);
    const cluster = await openCluster(location, source(), options.signal);
    return { location, cluster, namespace: target.namespace ?? cluster.namespace };
  }

  /** The handle's own cluster, with fresh credentials. */
  async function reenter({ endpoint }: KubernetesHandle, { signal }: CallOptions): Promise<Cluster> {
    return openCluster(endpoint.cluster, source(), signal);
  }

  async function find(target: KubernetesTarget, options: CallOptions): Promise<ChosenPod & Entered> {
    const entered = await enter(target, options);
    try {
      const chosen = await choosePod(entered.cluster, target.choice, {
        namespace: entered.namespace,
        container: target.container,
        source: source(),
        report: options.report,
        signal: options.signal,
      });
      return { ...chosen, ...entered };
    } catch (error) {
      throw errorWithHandle(error, entered.location, target);
    }
  }

  function waitFor(target: KubernetesTarget, options: ProvisionOptions): Promise<ChosenPod & Entered> {
    const { readyBudgetMs = 120_000, pollIntervalMs = 1000 } = settings;
    return waitForPod(() => find(target, options), { ...options, readyBudgetMs: options.waitMs ?? readyBudgetMs, pollIntervalMs });
  }

  async function probeCluster(target: KubernetesTarget, options: CallOptions): Promise<ProbeResult> {
    const { cluster, namespace } = await enter(target, options);
    await listEngines(cluster, { namespace, signal: options.signal });
    return { available: true, detail: `the namespace "${namespace}" of ${cluster.where}` };
  }

  return {
    specVersion: 1,
    name: "kubernetes",
    schemes: ["kube-pod", "kube-image"],
    capabilities: ["provision", "half-close", "inspect", "logs", "lifecycle", "list"],
    options: ALL_OPTIONS,
    parse: parseKubernetesTarget,
    async probe(target, options) {
      try {
        if (target.engine !== undefined) return await probeCluster(target, options);
        const { pod, container } = await find(target, options);
        return { available: true, detail: `the pod "${pod.metadata.name}" ${describePod(pod, container)}` };
      } catch (error) {
        return reasonOf(error, options);
      }
    },
    async provision(target, options) {
      const { engine } = target;
      if (engine !== undefined) {
        const { cluster, location, namespace } = await enter(target, options);
        const podRuns = (choice: WorkloadChoice) => waitFor({ ...target, choice, namespace }, options);
        return provisionEngine(cluster, engine, { ...options, location, namespace, source: source(), engineVersion: settings.engineVersion, podRuns });
      }
      const { pod, container, location, namespace } = await waitFor(target, options);
      return {
        driver: "kubernetes",
        id: pod.metadata.uid,
        endpoint: {
          cluster: location,
          namespace,
          pod: pod.metadata.name,
          container,
          choice: target.choice,
          ...(target.container !== undefined && { namedContainer: target.container }),
        },
        owned: false,
        labels: {},
      };
    },
    async connect(handle, options) {
      const { connectBudgetMs = 15_000, pingIntervalMs = 15_000, queueBytes = 2 * 1024 * 1024 } = settings;
      const connection = await connectPod(handle, { ...options, source: source(), connectBudgetMs, pingIntervalMs, queueBytes });
      connection.stream.once("close", leases.hold(handle, source(), options));
      return connection;
    },
    async inspect(handle, { signal }) {
      const { namespace, pod, container, choice } = handle.endpoint;
      const cluster = await reenter(handle, { signal });
      const found = await findPod(cluster, pod, { namespace, signal });
      if (found === undefined && choice.kind !== "workload") return { status: "missing" };
      const call = { namespace, signal };
      const state = found !== undefined ? await stateOfPod(cluster, found, container, call) : await stateWithoutPod(cluster, choice as WorkloadChoice, call);
      const claim = handle.labels[ENGINE_LABELS.volume];
      if (!handle.owned || state.status === "missing") return state;
      const running = found !== undefined && state.status === "running" ? { namespace, pod, container } : undefined;
      const disk = claim === undefined ? [] : [await claimUsage(cluster, claim, { running, namespace, signal })];
      return { ...state, details: { ...state.details, name: choice.kind === "workload" ? choice.name : pod, disk } };
    },
    async start(handle, options) {
      const { cluster: location, namespace } = handle.endpoint;
      const podRuns = (choice: WorkloadChoice) =>
        waitForPod(
          async () => choosePod(await openCluster(location, source(), options.signal), choice, { namespace, source: source(), signal: options.signal }),
          {
            ...options,
            readyBudgetMs: settings.readyBudgetMs ?? 120_000,
            pollIntervalMs: settings.pollIntervalMs ?? 1000,
          },
        );
      await startWorkload(await reenter(handle, options), handle, { ...options, namespace, podRuns });
    },
    async stop(handle, options) {
      await stopWorkload(await reenter(handle, options), handle, { ...options, namespace: handle.endpoint.namespace });
    },
    async destroy(handle, options) {
      await destroyEngine(await reenter(handle, options), handle, { ...options, namespace: handle.endpoint.namespace });
    },
    async list({ target, ...options }) {
      const { cluster, location, namespace } = await enter(target ?? {}, options);
      const wanted = target?.engine?.name;
      const engines = await listEngines(cluster, { namespace, signal: options.signal });
      return engines
        .filter(({ metadata }) => wanted === undefined || metadata.name === wanted)
        .map((workload) => engineHandle(workload, { location, namespace }));
    },
    async *logs(handle, { tail = 100, follow, signal }) {
      const { cluster: location, namespace, pod, container } = handle.endpoint;
      const cluster = await openCluster(location, source(), signal);
      const found = await findPod(cluster, pod, { namespace, signal });
      if (found === undefined) throw await podNotFound(cluster, pod, { namespace, signal });
      const log = { namespace, pod, container, tail, signal };
      if (follow || !runsAgain(found, container)) yield* readPodLog(cluster, { ...log, follow });
      else yield* readLogBeyondRestart(cluster, log);
    },
  };
}

export const driver: RunnerDriver<KubernetesTarget, KubernetesHandle> = createKubernetesDriver();

function reasonOf(error: unknown, options: CallOptions): ProbeResult {
  throwIfAborted(options.signal);
  if (!RunnerError.is(error)) throw error;
  // A pod that is on its way will be waited for.
  if (error.code === "NOT_RUNNING" && error.retryable) return { available: true, detail: error.message };
  return unavailable(error);
}
