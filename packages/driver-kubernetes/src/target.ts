import { formatRunnerUrl, readOptions, RunnerError, type JsonObject, type OptionSpec, type RunnerTarget, type RunnerUrl } from "@anyrunner/core/driver";

import { ENGINE_OPTIONS, parseEngineRequest, type EngineRequest } from "./engine-target.ts";

/** What a `kube-pod://` or `kube-image://` URL means: a pod, or a way to choose one, and where the cluster is said to be. */
export interface KubernetesTarget extends RunnerTarget {
  readonly driver: "kubernetes";
  readonly scheme: "kube-pod" | "kube-image";
  readonly choice: PodChoice;
  /** With `kube-image`: the engine to be found or made. */
  readonly engine?: EngineRequest | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  readonly container?: string | undefined;
}

/** Which pod: the one of that name, or one of those that a workload or a label selector covers. */
export type PodChoice = NamedPod | WorkloadPod | SelectedPod;

interface NamedPod extends JsonObject {
  readonly kind: "pod";
  readonly name: string;
}

interface WorkloadPod extends JsonObject, Preference {
  readonly kind: "workload";
  readonly resource: WorkloadResource;
  readonly name: string;
}

interface SelectedPod extends JsonObject, Preference {
  readonly kind: "selector";
  readonly selector: string;
}

export type WorkloadResource = "statefulsets" | "deployments" | "daemonsets";

interface Preference {
  readonly sameNode: boolean;
  /** The same key gets the same pod as long as that pod is ready. */
  readonly key: string;
}

export const KUBERNETES_OPTIONS = [
  { name: "context", type: "string", help: "Context of the kubeconfig. Default: its current context." },
  { name: "namespace", type: "string", help: "Namespace of the pod. Default: the context's, or the own one inside a cluster." },
  { name: "container", type: "string", help: "Container of the pod. Default: the one that kubectl would take." },
  { name: "selector", type: "string", help: "Label selector instead of a name, such as app=dagger-engine: one of its ready pods." },
  { name: "prefer", type: "string", choices: ["same-node"], help: "Of the ready pods of a workload or selector, those on this node first." },
  { name: "key", type: "string", help: "Of the ready pods of a workload or selector, always the same one for one key." },
] as const satisfies readonly OptionSpec[];

/** Every parameter of both schemes. */
export const ALL_OPTIONS: readonly OptionSpec[] = [
  ...KUBERNETES_OPTIONS,
  ...ENGINE_OPTIONS.filter(({ name }) => !KUBERNETES_OPTIONS.some((option) => option.name === name)),
];

/** The official client's rule for pods, namespaces and containers. */
const NAME = /^[-a-z0-9.]+$/;

const WORKLOADS: Readonly<Record<string, WorkloadResource>> = {
  sts: "statefulsets",
  statefulset: "statefulsets",
  deploy: "deployments",
  deployment: "deployments",
  ds: "daemonsets",
  daemonset: "daemonsets",
};

/** Understands the URL. Fails with INVALID_URL, INVALID_OPTION. */
export function parseKubernetesTarget(url: RunnerUrl): KubernetesTarget {
  if (url.scheme === "kube-image") return parseImageTarget(url);
  const { context, namespace, container, selector, prefer, key } = readOptions(url, KUBERNETES_OPTIONS);
  if (context === "") throw invalidOption("context", "it is empty", "name a context, or leave the parameter away");
  for (const [name, value] of Object.entries({ namespace, container })) {
    if (value !== undefined && !NAME.test(value)) throw invalidOption(name, "it has lower-case letters, digits, dots and dashes only", `write ${name}=NAME`);
  }
  const choice = parseChoice(url, selector, { sameNode: prefer === "same-node", key: key ?? "" });
  if (choice.kind === "pod") {
    for (const [name, value] of Object.entries({ prefer, key })) {
      if (value !== undefined) throw invalidOption(name, "one pod is named, so there is nothing to choose", "leave it away, or name a workload or a selector");
    }
  }
  return {
    driver: "kubernetes",
    url: formatRunnerUrl(url),
    scheme: "kube-pod",
    choice,
    ...(context !== undefined && { context }),
    ...(namespace !== undefined && { namespace }),
    ...(container !== undefined && { container }),
  };
}

function parseImageTarget(url: RunnerUrl): KubernetesTarget {
  const { request, ...place } = parseEngineRequest(url);
  const shown = formatRunnerUrl(url, { secretParams: ENGINE_OPTIONS.filter(({ secret }) => secret).map(({ name }) => name) });
  return { driver: "kubernetes", url: shown, scheme: "kube-image", choice: { kind: "pod", name: "" }, engine: request, ...place };
}

function parseChoice(url: RunnerUrl, selector: string | undefined, preference: Preference): PodChoice {
  const hint = "write kube-pod://POD, kube-pod://sts/NAME, kube-pod://deploy/NAME, kube-pod://ds/NAME or kube-pod://?selector=LABEL=VALUE";
  if (selector !== undefined) {
    if (url.body !== "") throw invalidOption("selector", "it excludes a name", hint);
    if (selector.trim() === "") throw invalidOption("selector", "it is empty, and would mean every pod", "write selector=LABEL=VALUE");
    return { kind: "selector", selector, ...preference };
  }
  if (url.body === "") throw invalidUrl(url, "it names no pod", hint);
  const slash = url.body.indexOf("/");
  if (slash < 0) {
    if (!NAME.test(url.body)) throw invalidUrl(url, "a pod's name has lower-case letters, digits, dots and dashes only", hint);
    return { kind: "pod", name: url.body };
  }
  const resource = Object.hasOwn(WORKLOADS, url.body.slice(0, slash)) ? WORKLOADS[url.body.slice(0, slash)] : undefined;
  const name = url.body.slice(slash + 1);
  if (resource === undefined) throw invalidUrl(url, "before the slash stands sts, deploy or ds", hint);
  if (!NAME.test(name)) throw invalidUrl(url, "a workload's name has lower-case letters, digits, dots and dashes only", hint);
  return { kind: "workload", resource, name, ...preference };
}

function invalidUrl(url: RunnerUrl, reason: string, hint: string): RunnerError {
  return new RunnerError("INVALID_URL", `${formatRunnerUrl(url)} can't be understood: ${reason}`, { hint, driver: "kubernetes" });
}

function invalidOption(name: string, reason: string, hint: string): RunnerError {
  return new RunnerError("INVALID_OPTION", `parameter "${name}" is wrong: ${reason}`, { hint, driver: "kubernetes", details: { parameter: name } });
}
