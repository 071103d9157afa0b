import type { DaemonInfo } from "@anyrunner/engine-container";

/** What `podman info` says, as far as it matters to an engine. */
interface PodmanInfo {
  readonly host?: {
    readonly arch?: string;
    /** Those that it may use: none without root on cgroups v1. */
    readonly cgroupControllers?: readonly string[] | null;
    readonly cgroupManager?: string;
    readonly cgroupVersion?: string;
    readonly cpus?: number;
    readonly memTotal?: number;
    readonly os?: string;
    readonly security?: { readonly rootless?: boolean };
  };
  readonly store?: { readonly graphRoot?: string; readonly volumePath?: string };
  readonly version?: { readonly Version?: string };
}

/** Podman's words about itself in those of a Docker daemon. */
export function parsePodmanInfo(stdout: string): DaemonInfo {
  const { host = {}, store = {}, version } = JSON.parse(stdout) as PodmanInfo;
  return {
    ServerVersion: version?.Version,
    OSType: host.os,
    Architecture: host.arch,
    CgroupDriver: isBare(host) ? "none" : host.cgroupManager,
    CgroupVersion: host.cgroupVersion?.replace(/^v/, ""),
    SecurityOptions: host.security?.rootless ? ["name=rootless"] : [],
    DockerRootDir: store.volumePath ?? store.graphRoot,
    MemTotal: host.memTotal,
    NCPU: host.cpus,
  };
}

/** Older ones say nothing of it. */
function isBare({ cgroupControllers, security }: NonNullable<PodmanInfo["host"]>): boolean {
  return security?.rootless === true && cgroupControllers !== undefined && (cgroupControllers ?? []).length === 0;
}
