import { RunnerError } from "@anyrunner/core/driver";

import type { ClusterLocation } from "./cluster-config.ts";
import type { KubernetesHandle } from "./handle.ts";
import type { KubernetesTarget } from "./target.ts";

/** The error with the handle of the pod that it is about, if it says which (`placeOf`): so that it can be inspected, and its log read. */
export function errorWithHandle(error: unknown, location: ClusterLocation, { choice, container: namedContainer }: KubernetesTarget): unknown {
  if (!RunnerError.is(error)) return error;
  const { code, message, hint, cause, details = {}, driver, retryable } = error;
  const { pod, namespace, container, uid } = details;
  if (typeof pod !== "string" || typeof namespace !== "string" || typeof container !== "string" || typeof uid !== "string") return error;
  const handle: KubernetesHandle = {
    driver: "kubernetes",
    id: uid,
    endpoint: { cluster: location, namespace, pod, container, choice, ...(namedContainer !== undefined && { namedContainer }) },
    owned: false,
    labels: {},
  };
  return new RunnerError(code, message, { hint, cause, driver, retryable, details: { ...details, handle } });
}
