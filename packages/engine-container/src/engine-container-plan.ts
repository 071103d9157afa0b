import type { EnginePort } from "./engine-image.ts";
import type { EngineGpus, EngineMount } from "./option-values.ts";

/** A container to be made, as data; how it is made is the driver's. */
export interface EngineContainerPlan {
  readonly name: string;
  readonly image: string;
  /** Name of the volume at /var/lib/dagger; the first of `mounts`, too. */
  readonly volume: string;
  /** Values may be secret: they go to the runtime by API or by environment, never as an argument. */
  readonly env: Readonly<Record<string, string>>;
  /** Addresses of this machine that lead to the same port of the container. */
  readonly ports: readonly EnginePort[];
  readonly mounts: readonly EngineMount[];
  /** Arguments of the image's entrypoint. */
  readonly args: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly privileged: true;
  readonly restartPolicy: "unless-stopped" | "no";
  readonly stopTimeoutSeconds: number;
  readonly cpus?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly gpus?: EngineGpus | undefined;
  readonly network?: string | undefined;
  readonly platform?: string | undefined;
  /** `NAME:ADDRESS` for the container's hosts file; `host-gateway` is the machine that runs it. */
  readonly extraHosts: readonly string[];
}
