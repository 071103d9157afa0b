import type { DaemonInfo } from "@anyrunner/engine-container";

/** What `podman info` says, as far as it matters to an engine. */
interface PodmanInfo {
  readonly host?: {
    readonly arch?: string;
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
    CgroupDriver: host.cgroupManager,
    CgroupVersion: host.cgroupVersion?.replace(/^v/, ""),
    SecurityOptions: host.security?.rootless ? ["name=rootless"] : [],
    DockerRootDir: store.volumePath ?? store.graphRoot,
    MemTotal: host.memTotal,
    NCPU: host.cpus,
  };
}
