import type { JsonObject, RunnerHandle } from "@anyrunner/core/driver";

import type { ClusterLocation } from "./cluster-config.ts";
import type { PodChoice } from "./target.ts";

/**
 * A pod that runs an engine. It pins the pod that was chosen: connections go there as long as it exists. When it is gone, one that
 * was chosen by workload or selector is chosen again, and its successor of the same name is taken for it otherwise.
 */
export interface KubernetesHandle extends RunnerHandle {
  readonly driver: "kubernetes";
  readonly endpoint: KubernetesHandleEndpoint;
}

export interface KubernetesHandleEndpoint extends JsonObject {
  readonly cluster: ClusterLocation;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Present when the container was named by the URL, and must have that name in a successor, too. */
  readonly namedContainer?: string | undefined;
  readonly choice: PodChoice;
  /** Seconds of its lease, which whoever uses the engine renews. */
  readonly leaseSeconds?: number | undefined;
}
