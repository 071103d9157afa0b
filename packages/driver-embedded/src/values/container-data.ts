import type { SegmentMount } from "../executor/executor.ts";
import type { Call, Lazy } from "../plan/call.ts";
import type { ExecOperation, Operation, SecretUse } from "../plan/operation.ts";
import type { Planner } from "../plan/planner.ts";

/** What a Container of the API is: configuration, and the operations that make its root file system. */
export interface ContainerData {
  readonly config: ContainerConfig;
  readonly files: Operation;
  /** The last command; what stdout and the others speak of. */
  readonly exec?: ExecOperation | undefined;
  /** Why nothing of this container can be had, found out when it was made, told when it is used. */
  readonly failure?: Error | undefined;
  /** Only directly after `from`. */
  readonly imageRef?: string | undefined;
}

export interface ContainerConfig {
  readonly platform: string;
  readonly env: readonly NamedValue[];
  /** Variables that take no part in cache keys. */
  readonly volatileEnv: readonly NamedValue[];
  readonly workdir: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly defaultArgs: readonly string[];
  readonly labels: readonly NamedValue[];
  readonly ports: readonly ExposedPort[];
  readonly mounts: readonly Mount[];
  readonly secrets: readonly SecretUse[];
  readonly registryAuths: readonly RegistryAuth[];
}

/** A login that the pipeline brings along for a registry. */
export interface RegistryAuth {
  /** Host with port, as in image names; `docker.io` for the default registry. */
  readonly host: string;
  readonly username: string;
  readonly secret: Lazy<Uint8Array>;
}

export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

export interface ExposedPort {
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  readonly description: string | null;
  readonly experimentalSkipHealthcheck: boolean;
}

export type Mount =
  /** Directories and files are copies: what a command writes there stays, and the root file system shows it. */
  | { readonly kind: "copy"; readonly path: string }
  | { readonly kind: "cache"; readonly path: string; readonly volume: string }
  | { readonly kind: "tmpfs"; readonly path: string; readonly sizeBytes?: number | undefined };

export function emptyConfig(platform: string): ContainerConfig {
  return {
    platform,
    env: [],
    volatileEnv: [],
    workdir: "",
    user: "",
    entrypoint: [],
    defaultArgs: [],
    labels: [],
    ports: [],
    mounts: [],
    secrets: [],
    registryAuths: [],
  };
}

/** The container with other configuration; whatever changes it is not the image that `from` gave any more. */
export function withConfig(container: ContainerData, change: Partial<ContainerConfig>): ContainerData {
  return { ...container, config: { ...container.config, ...change }, imageRef: undefined };
}

export function withFiles(container: ContainerData, files: Operation): ContainerData {
  return { ...container, files, imageRef: undefined };
}

/** Runs what has not run yet. Fails with `ExecError`: then no field of the container can be had. */
export async function evaluate(container: ContainerData, planner: Planner, call: Call): Promise<void> {
  if (container.failure !== undefined) throw container.failure;
  if (container.exec !== undefined) await planner.run(container.exec, call);
}

/** `named` with `name` set: in its old place when it is there already, else at the end. */
export function setNamed(named: readonly NamedValue[], name: string, value: string): readonly NamedValue[] {
  return named.some((each) => each.name === name) ? named.map((each) => (each.name === name ? { name, value } : each)) : [...named, { name, value }];
}

/** `path` seen from the working directory; a trailing slash stays, since it says that a folder is meant. */
export function absolutePath(config: ContainerConfig, path: string): string {
  const whole = path.startsWith("/") ? path : `${config.workdir || "/"}/${path}`;
  const names: string[] = [];
  for (const name of whole.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === "..") names.pop();
    else names.push(name);
  }
  return `/${names.join("/")}${path.endsWith("/") && names.length > 0 ? "/" : ""}`;
}

export function segmentMounts(config: ContainerConfig): readonly SegmentMount[] {
  return config.mounts.filter((mount) => mount.kind !== "copy");
}

/** The mount that hides `path`, if what is in it can't be read by the API. */
export function opaqueMount(config: ContainerConfig, path: string): SegmentMount | undefined {
  return segmentMounts(config).find((mount) => path === mount.path || path.startsWith(`${mount.path}/`));
}
