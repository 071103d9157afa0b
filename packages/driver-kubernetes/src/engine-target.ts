import { readOptions, RunnerError, type JsonObject, type OptionSpec, type RunnerUrl } from "@anyrunner/core/driver";
import { ENGINE_IMAGE_OPTIONS, parseEngineImage, withoutSecrets, type ShownEngineImage } from "@anyrunner/engine-container";

/** What a `kube-image://` URL asks for beside the engine itself. */
export interface EngineRequest extends JsonObject {
  readonly image: ShownEngineImage;
  /** Of the StatefulSet. Default: from the image. */
  readonly name?: string | undefined;
  /** An existing claim for the engine's state. */
  readonly claim?: string | undefined;
  /** Size of a new claim; `none`: the state goes with the pod. Default: 100Gi, and none for what a job owns. */
  readonly storage: string;
  readonly storageClass?: string | undefined;
  readonly snapshot?: string | undefined;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  /** The pod whose end is the engine's: a name, or `self`. */
  readonly owner?: string | undefined;
  /** For how long nobody may have used it before any later client removes it. */
  readonly leaseSeconds?: number | undefined;
}

interface Toleration extends JsonObject {
  readonly key: string;
  readonly operator: "Equal" | "Exists";
  readonly value?: string | undefined;
  readonly effect?: string | undefined;
}

const FROM_IMAGE = ["cpus", "memory", "env", "pull", "label", "gpus", "config", "ca", "proxy", "version"] as const;
const isFromImage = (spec: { readonly name: string }): spec is (typeof ENGINE_IMAGE_OPTIONS)[number] & { readonly name: (typeof FROM_IMAGE)[number] } =>
  (FROM_IMAGE as readonly string[]).includes(spec.name);

const OWN_OPTIONS = [
  { name: "context", type: "string", help: "Context of the kubeconfig. Default: its current context." },
  { name: "namespace", type: "string", help: "Namespace of the pod or engine. Default: the context's, or the own one inside a cluster." },
  { name: "name", type: "string", help: "Name of the StatefulSet of a new engine. Default: anyrunner-engine- and the image's tag or digest." },
  { name: "claim", type: "string", help: "Existing claim for the state of a new engine. Default: one of its own." },
  { name: "storage", type: "string", help: "Size of a new engine's own claim; none: its state goes with the pod. Default: 100Gi, and none with owner." },
  { name: "storage-class", type: "string", help: "Storage class of a new engine's own claim. Default: the cluster's." },
  { name: "snapshot", type: "string", help: "Volume snapshot that a new engine's own claim begins with." },
  { name: "node-selector", type: "string", repeatable: true, help: "Label of the nodes that a new engine may run on: NAME=VALUE." },
  { name: "toleration", type: "string", repeatable: true, help: "Taint that a new engine tolerates: KEY, KEY=VALUE, or either with :EFFECT." },
  { name: "owner", type: "string", help: "Pod of the job that a new engine belongs to, and ends with: a name, or self for the pod that this runs in." },
  { name: "lease", type: "string", help: "For how long nobody may have used a new engine before it may be removed: 90s, 15m, 8h. Default with owner: 15m." },
] as const satisfies readonly OptionSpec[];

export const ENGINE_OPTIONS: readonly OptionSpec[] = [...OWN_OPTIONS, ...ENGINE_IMAGE_OPTIONS.filter(isFromImage)];

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const MAX_NAME = 50;
const DEFAULT_STORAGE = "100Gi";
/** Longer than a step of a job that needs no engine. */
const JOB_LEASE_SECONDS = 15 * 60;
const MIN_LEASE_SECONDS = 15;
const SECONDS = { s: 1, m: 60, h: 3600 } as const;

export interface ParsedEngine {
  readonly request: EngineRequest;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
}

/** Understands a `kube-image://` URL. Fails with INVALID_URL, INVALID_OPTION. */
export function parseEngineRequest(url: RunnerUrl): ParsedEngine {
  const own = new Set<string>(OWN_OPTIONS.map(({ name }) => name));
  // Unknown parameters are refused against the whole table, and each value is read against its own.
  readOptions(url, ENGINE_OPTIONS);
  const values = readOptions({ ...url, params: url.params.filter(({ name }) => own.has(name)) }, OWN_OPTIONS);
  const image = parseEngineImage(url, readOptions({ ...url, params: url.params.filter(({ name }) => !own.has(name)) }, ENGINE_IMAGE_OPTIONS));
  for (const name of ["context", "namespace", "name", "claim", "storage", "storage-class", "snapshot", "owner", "lease"] as const) {
    if (values[name] === "") throw invalid(name, "it is empty", "give it a value, or leave it away");
  }
  for (const name of ["namespace", "name", "claim", "storage-class", "snapshot", "owner"] as const) {
    const value = values[name];
    if (value !== undefined && (!NAME.test(value.replaceAll(".", "-")) || value.length > 253))
      throw invalid(name, "it has lower-case letters, digits and dashes only", `write ${name}=NAME`);
  }
  if (values.name !== undefined && (!NAME.test(values.name) || values.name.length > MAX_NAME))
    throw invalid("name", `it has up to ${MAX_NAME} lower-case letters, digits and dashes`, "write name=NAME");
  const ofOwnClaim = (["storage-class", "snapshot"] as const).find((name) => values[name] !== undefined);
  const storage = values.storage ?? (values.owner === undefined || ofOwnClaim !== undefined ? DEFAULT_STORAGE : "none");
  const leaseSeconds = values.lease === undefined ? undefined : parseLease(values.lease);
  if (storage !== "none" && !/^[1-9]\d*(\.\d+)?([KMGTP]i?)?$/.test(storage)) throw invalid("storage", "it must be a size, or none", "write storage=100Gi");
  if (values.claim !== undefined && (values.storage ?? values.snapshot ?? values["storage-class"]) !== undefined)
    throw invalid("claim", "it exists already, so it has its size and class, and no snapshot to begin with", "leave one of them away");
  if (storage === "none" && ofOwnClaim !== undefined)
    throw invalid(ofOwnClaim, "with storage=none there is no claim that it could be for", "leave one of them away");
  return {
    request: {
      image: withoutSecrets(image),
      storage,
      nodeSelector: Object.fromEntries(values["node-selector"].map(parseSelector)),
      tolerations: values.toleration.map(parseToleration),
      ...(values.name !== undefined && { name: values.name }),
      ...(values.owner !== undefined && { owner: values.owner, leaseSeconds: JOB_LEASE_SECONDS }),
      ...(leaseSeconds !== undefined && { leaseSeconds }),
      ...(values.claim !== undefined && { claim: values.claim }),
      ...(values["storage-class"] !== undefined && { storageClass: values["storage-class"] }),
      ...(values.snapshot !== undefined && { snapshot: values.snapshot }),
    },
    ...(values.context !== undefined && { context: values.context }),
    ...(values.namespace !== undefined && { namespace: values.namespace }),
  };
}

function parseSelector(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw invalid("node-selector", "it must be NAME=VALUE", "write node-selector=kubernetes.io/arch=amd64");
  return [text.slice(0, at), text.slice(at + 1)];
}

function parseLease(text: string): number {
  const match = /^([1-9]\d{0,5})([smh])$/.exec(text);
  const seconds = match === null ? 0 : Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS];
  if (seconds < MIN_LEASE_SECONDS) throw invalid("lease", `it must be a time of ${MIN_LEASE_SECONDS} seconds or more`, "write lease=15m");
  return seconds;
}

function parseToleration(text: string): Toleration {
  const match = /^([^=:]+)(?:=([^:]*))?(?::(NoSchedule|PreferNoSchedule|NoExecute))?$/.exec(text);
  if (match === null)
    throw invalid(
      "toleration",
      "it must be KEY, KEY=VALUE, or either with :NoSchedule, :PreferNoSchedule or :NoExecute",
      "write toleration=dedicated=builds:NoSchedule",
    );
  const [, key = "", value, effect] = match;
  return { key, operator: value === undefined ? "Exists" : "Equal", ...(value !== undefined && { value }), ...(effect !== undefined && { effect }) };
}

function invalid(name: string, reason: string, hint: string): RunnerError {
  return new RunnerError("INVALID_OPTION", `parameter "${name}" is wrong: ${reason}`, { hint, driver: "kubernetes", details: { parameter: name } });
}
