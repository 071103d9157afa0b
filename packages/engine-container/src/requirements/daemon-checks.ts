import type { Check } from "./check.ts";

/** What `GET /info` says, as far as it matters to an engine. */
export interface DaemonInfo {
  readonly ServerVersion?: string;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly Driver?: string;
  readonly CgroupDriver?: string;
  readonly CgroupVersion?: string;
  readonly SecurityOptions?: readonly string[] | null;
  readonly DockerRootDir?: string;
  readonly MemTotal?: number;
  readonly NCPU?: number;
  readonly Warnings?: readonly string[] | null;
}

const MINIMUM_MEMORY_BYTES = 2 * 1024 ** 3;

/** What the daemon's words about itself mean for an engine. */
export function daemonChecks(info: DaemonInfo): readonly Check[] {
  const { OSType: os, SecurityOptions: security, CgroupVersion: cgroups, CgroupDriver: driver, MemTotal: memory, Warnings: warnings } = info;
  const isRootless = (security ?? []).some((option) => option.includes("rootless"));
  const userns = (security ?? []).some((option) => option.includes("userns"));
  return [
    os !== undefined && os !== "linux"
      ? { id: "docker.system", status: "failed", detail: `its containers are those of ${os}; engines need Linux`, remedy: "switch Docker to Linux containers" }
      : { id: "docker.system", status: "ok", detail: "Linux containers" },
    isRootless || userns
      ? {
          id: "docker.privileges",
          status: "warning",
          detail: `the daemon ${isRootless ? "is rootless" : "remaps users"}: a privileged container there lacks CAP_SYS_ADMIN of the machine, which engines need`,
          remedy: "use a rootful daemon, a remote runner, or embedded://",
        }
      : { id: "docker.privileges", status: "ok", detail: "privileged containers have CAP_SYS_ADMIN" },
    cgroups === undefined
      ? { id: "docker.cgroups", status: "skipped", detail: "the daemon doesn't say which cgroups it has" }
      : { id: "docker.cgroups", status: "ok", detail: `version ${cgroups}, driver ${driver ?? "unknown"}` },
    memory !== undefined && memory > 0 && memory < MINIMUM_MEMORY_BYTES
      ? {
          id: "docker.memory",
          status: "warning",
          detail: `${Math.round(memory / 1024 ** 2)} MiB in all: engines are killed for lack of memory`,
          remedy: "give the machine at least 2 GiB",
        }
      : { id: "docker.memory", status: "ok", detail: memory === undefined ? "unknown" : `${(memory / 1024 ** 3).toFixed(1)} GiB` },
    ...(warnings ?? [])
      .filter((text) => /iptables|forward|cgroup|overlay|storage/i.test(text))
      .map((text): Check => ({ id: "docker.warning", status: "warning", detail: text.replace(/^WARNING: /, "") })),
  ];
}
