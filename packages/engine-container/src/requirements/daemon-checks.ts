import type { Check } from "./check.ts";

/** What `GET /info` says, as far as it matters to an engine. */
export interface DaemonInfo {
  readonly ServerVersion?: string | undefined;
  readonly OSType?: string | undefined;
  readonly Architecture?: string | undefined;
  readonly Driver?: string | undefined;
  readonly CgroupDriver?: string | undefined;
  readonly CgroupVersion?: string | undefined;
  readonly SecurityOptions?: readonly string[] | null | undefined;
  readonly DockerRootDir?: string | undefined;
  readonly MemTotal?: number | undefined;
  readonly NCPU?: number | undefined;
  readonly Warnings?: readonly string[] | null | undefined;
}

const MINIMUM_MEMORY_BYTES = 2 * 1024 ** 3;

/** Whose words they are. */
export interface DescribedRuntime {
  /** Begins the ids: `docker.system`. */
  readonly name: string;
  readonly title: string;
  /** What is rootless, in a sentence. */
  readonly subject: string;
}

const DOCKER: DescribedRuntime = { name: "docker", title: "Docker", subject: "the daemon" };

/** What a runtime's words about itself mean for an engine. Default: those of a Docker daemon. */
export function daemonChecks(info: DaemonInfo, { name, title, subject }: DescribedRuntime = DOCKER): readonly Check[] {
  const { OSType: os, SecurityOptions: security, CgroupVersion: cgroups, CgroupDriver: driver, MemTotal: memory, Warnings: warnings } = info;
  const isRootless = (security ?? []).some((option) => option.includes("rootless"));
  const userns = (security ?? []).some((option) => option.includes("userns"));
  return [
    os !== undefined && os !== "linux"
      ? {
          id: `${name}.system`,
          status: "failed",
          detail: `its containers are those of ${os}; engines need Linux`,
          remedy: `switch ${title} to Linux containers`,
        }
      : { id: `${name}.system`, status: "ok", detail: "Linux containers" },
    isRootless || userns
      ? {
          id: `${name}.privileges`,
          status: "warning",
          detail: `${subject} ${isRootless ? "is rootless" : "remaps users"}: a privileged container there lacks CAP_SYS_ADMIN of the machine, which engines need`,
          remedy: `use a rootful ${name === "docker" ? "daemon" : title}, a remote runner, or embedded://`,
        }
      : { id: `${name}.privileges`, status: "ok", detail: "privileged containers have CAP_SYS_ADMIN" },
    cgroupCheck(driver, cgroups, { name, subject }),
    memory !== undefined && memory > 0 && memory < MINIMUM_MEMORY_BYTES
      ? {
          id: `${name}.memory`,
          status: "warning",
          detail: `${Math.round(memory / 1024 ** 2)} MiB in all: engines are killed for lack of memory`,
          remedy: "give the machine at least 2 GiB",
        }
      : { id: `${name}.memory`, status: "ok", detail: memory === undefined ? "unknown" : `${(memory / 1024 ** 3).toFixed(1)} GiB` },
    ...(warnings ?? [])
      .filter((text) => /iptables|forward|cgroup|overlay|storage/i.test(text))
      .map((text): Check => ({ id: `${name}.warning`, status: "warning", detail: text.replace(/^WARNING: /, "") })),
  ];
}

/** A rootless daemon on cgroups v1 may use none. */
function cgroupCheck(driver: string | undefined, version: string | undefined, { name, subject }: Pick<DescribedRuntime, "name" | "subject">): Check {
  const id = `${name}.cgroups`;
  if (driver === "none") {
    return {
      id,
      status: "warning",
      detail: `${subject} may use no cgroups, by which an engine bounds its containers`,
      remedy: "let the machine use cgroups v2 with delegation, or use a rootful daemon",
    };
  }
  if (version === undefined) return { id, status: "skipped", detail: `${subject} doesn't say which cgroups it has` };
  return { id, status: "ok", detail: `version ${version}, driver ${driver ?? "unknown"}` };
}
