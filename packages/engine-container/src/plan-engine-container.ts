import type { EngineContainerPlan } from "./engine-container-plan.ts";
import type { EngineImage } from "./engine-image.ts";
import { engineContainerName } from "./engine-names.ts";
import { isImageBefore } from "./image-version.ts";
import { planEnvironment } from "./plan-environment.ts";
import { planLabels } from "./plan-labels.ts";
import { planReference } from "./plan-reference.ts";
import type { EngineMount } from "./option-values.ts";

/** What a caller found out about its surroundings; the plan itself asks nothing. */
export interface EngineFacts {
  /** The caller's environment: bare `env`, GPU support, the cloud token, proxies. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** An existing engine.json on the machine that runs the container (see `engineConfigPaths`). */
  readonly configPath?: string | undefined;
  /** Digest of that file's content, for telling later that it changed. */
  readonly configDigest?: string | undefined;
  /** An existing folder or file of CA certificates on that machine. */
  readonly ca?: { readonly path: string; readonly kind: "folder" | "file" } | undefined;
  /** The version that belongs to the project, for `version=auto`. */
  readonly engineVersion?: string | undefined;
  /** The engine belongs to a job that will end: it is not started again with the machine. Default false. */
  readonly jobOwned?: boolean | undefined;
}

export const STATE_FOLDER = "/var/lib/dagger";
export const ENGINE_CONFIG_FILE = "/etc/dagger/engine.json";
const CA_FOLDER = "/usr/local/share/ca-certificates";
/** The engine allows itself five minutes to shut down; killed before, it discards its cache at the next start. */
const STOP_TIMEOUT_SECONDS = 600;
/** Before, an address that is asked for replaces the socket by which an exec reaches the engine (engine protocol 10). */
const ADDS_ADDRESSES_SINCE = "v0.17.0";
const OLD_SOCKET = "unix:///run/buildkit/buildkitd.sock";
/** Inside the container, where only an exec gets. */
export const METRICS_ADDRESS = "127.0.0.1:9090";

/**
 * The container for `image` (engine protocol 1.7, decisions.md 4): the same input gives the same plan.
 * Fails with INVALID_OPTION when `version=auto` is asked for and no version is known.
 */
export function planEngineContainer(image: EngineImage, facts: EngineFacts): EngineContainerPlan {
  const gpus = image.gpus ?? (facts.env["_EXPERIMENTAL_DAGGER_GPU_SUPPORT"] ? ({ kind: "all" } as const) : undefined);
  const gpu = gpus !== undefined;
  const reference = planReference(image, { version: facts.engineVersion, gpu });
  const name = image.container ?? engineContainerName(reference, { gpu });
  const volume = image.volume ?? name;
  const { env, extraHosts } = planEnvironment(image, { env: facts.env, gpu, metricsAddress: METRICS_ADDRESS });
  const plan = {
    name,
    image: reference,
    volume,
    env,
    ports: image.port === undefined ? [] : [image.port],
    mounts: planMounts(image, facts, volume),
    args: planArgs(image, reference),
    privileged: true,
    restartPolicy: facts.jobOwned ? "no" : "unless-stopped",
    stopTimeoutSeconds: STOP_TIMEOUT_SECONDS,
    ...(image.cpus !== undefined && { cpus: image.cpus }),
    ...(image.memoryBytes !== undefined && { memoryBytes: image.memoryBytes }),
    ...(gpus !== undefined && { gpus }),
    ...(image.network !== undefined && { network: image.network }),
    ...(image.platform !== undefined && { platform: image.platform }),
    extraHosts,
  } as const;
  return {
    ...plan,
    labels: planLabels(plan, { user: image.labels, env: image.env, configDigest: facts.configDigest, idleMs: image.idleMs, keep: image.keep }),
  };
}

function planMounts(image: EngineImage, { configPath, ca }: EngineFacts, volume: string): readonly EngineMount[] {
  const bind = (source: string, target: string): EngineMount => ({ kind: "bind", source, target, readOnly: true });
  return [
    { kind: "volume", source: volume, target: STATE_FOLDER, readOnly: false },
    ...(configPath === undefined ? [] : [bind(configPath, ENGINE_CONFIG_FILE)]),
    ...(ca === undefined ? [] : [bind(ca.path, ca.kind === "folder" ? CA_FOLDER : `${CA_FOLDER}/anyrunner-ca.crt`)]),
    ...image.mounts,
  ];
}

function planArgs({ port }: EngineImage, reference: string): readonly string[] {
  const addresses = port === undefined ? [] : [...(isImageBefore(reference, ADDS_ADDRESSES_SINCE) ? [OLD_SOCKET] : []), `tcp://0.0.0.0:${port.port}`];
  const listen = addresses.flatMap((address) => ["--addr", address]);
  return ["--debug", "--debugaddr", "127.0.0.1:6060", ...listen];
}
