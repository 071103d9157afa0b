import type { JsonObject } from "@anyrunner/core/driver";
import { CACHE_ROLE, ENGINE_LABELS, type EngineContainerPlan, type EngineGpus, type EngineMount } from "@anyrunner/engine-container";

/** The body of `POST /containers/create` for a plan (Docker API 1.25 and newer). */
export function createRequest(plan: EngineContainerPlan): JsonObject {
  return {
    Image: plan.image,
    Cmd: plan.args,
    Env: Object.entries(plan.env).map(([name, value]) => `${name}=${value}`),
    Labels: plan.labels,
    StopTimeout: plan.stopTimeoutSeconds,
    ExposedPorts: Object.fromEntries(plan.ports.map(({ port }) => [`${port}/tcp`, {}])),
    HostConfig: {
      Privileged: plan.privileged,
      RestartPolicy: { Name: plan.restartPolicy },
      Mounts: plan.mounts.map(mountRequest),
      PortBindings: Object.fromEntries(plan.ports.map(({ address, port }) => [`${port}/tcp`, [{ HostIp: address, HostPort: String(port) }]])),
      ...(plan.cpus !== undefined && { NanoCpus: Math.round(plan.cpus * 1e9) }),
      ...(plan.memoryBytes !== undefined && { Memory: plan.memoryBytes }),
      ...(plan.gpus !== undefined && { DeviceRequests: [deviceRequest(plan.gpus)] }),
      ...(plan.network !== undefined && { NetworkMode: plan.network }),
      ...(plan.extraHosts.length > 0 && { ExtraHosts: plan.extraHosts }),
    },
  };
}

function mountRequest({ kind, source, target, readOnly }: EngineMount): JsonObject {
  return {
    Type: kind,
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    // The daemon gives them to a volume that it makes, so one of somebody else's stays without.
    ...(kind === "volume" && { VolumeOptions: { Labels: { [ENGINE_LABELS.role]: CACHE_ROLE } } }),
  };
}

/** As the docker CLI writes `--gpus`. */
function deviceRequest(gpus: EngineGpus): JsonObject {
  const Capabilities = [["gpu"]];
  switch (gpus.kind) {
    case "all":
      return { Driver: "", Count: -1, Capabilities };
    case "count":
      return { Driver: "", Count: gpus.count, Capabilities };
    case "devices":
      return { Driver: "", DeviceIDs: gpus.devices, Capabilities };
  }
}
