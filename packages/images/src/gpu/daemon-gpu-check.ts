import type { Check } from "@anyrunner/engine-container";

/** What a daemon says of itself, as far as it matters to GPUs. */
export interface GpuDaemon {
  /** Its socket is Podman's, which passes over every request for GPUs but those by CDI. */
  readonly isPodman: boolean;
  /** Whether the daemon is this machine's: what was seen here then holds there. */
  readonly isLocal: boolean;
  readonly info: GpuDaemonInfo;
}

/** Of `GET /info`. */
export interface GpuDaemonInfo {
  readonly ServerVersion?: string | undefined;
  readonly Architecture?: string | undefined;
  readonly Runtimes?: Readonly<Record<string, unknown>> | null | undefined;
  readonly DefaultRuntime?: string | undefined;
  /** From API 1.44 on. That they are named doesn't mean that there is anything in them. */
  readonly CDISpecDirs?: readonly string[] | null | undefined;
  /** From API 1.50 on. */
  readonly DiscoveredDevices?: readonly { readonly Source?: string; readonly ID?: string }[] | null | undefined;
}

const CDI_PREFIX = "nvidia.com/gpu=";

/**
 * Whether a daemon will give GPUs to an engine that asks for them with gpus=. It looks for NVIDIA's programs on its own PATH, so that a missing
 * runtime of that name says nothing.
 */
export function daemonGpuCheck(daemon: GpuDaemon | undefined, { hasToolkit }: { readonly hasToolkit: boolean }): Check {
  const id = "gpu.daemon";
  if (daemon === undefined) return { id, status: "skipped", detail: "no Docker daemon answers" };
  const { isPodman, isLocal, info } = daemon;
  if (isPodman)
    return {
      id,
      status: "failed",
      detail: "Podman's API passes over requests for GPUs without a word",
      remedy: "make the engine with podman-image://…?gpus=all, which asks by CDI",
    };
  const devices = (info.DiscoveredDevices ?? []).filter(({ ID: device = "" }) => device.startsWith(CDI_PREFIX)).map(({ ID: device = "" }) => device);
  const found = [
    ...(info.Runtimes?.["nvidia"] === undefined ? [] : [`the runtime nvidia${info.DefaultRuntime === "nvidia" ? ", by default" : ""}`]),
    ...(devices.length === 0 ? [] : [`by CDI ${devices.join(", ")}`]),
  ];
  const version = info.ServerVersion ?? "unknown";
  if (found.length > 0) return { id, status: "ok", detail: `Docker ${version} has ${found.join("; ")}` };
  if (isLocal && hasToolkit)
    return { id, status: "ok", detail: `Docker ${version} names neither a runtime nvidia nor devices by CDI; it will find the toolkit if that is on its PATH` };
  return {
    id,
    status: isLocal ? "failed" : "warning",
    detail: `Docker ${version} names neither a runtime nvidia nor devices by CDI`,
    remedy: "install the NVIDIA container toolkit on the daemon's machine, and restart the daemon",
  };
}
