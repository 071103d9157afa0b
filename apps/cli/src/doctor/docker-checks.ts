import { formatProvenance } from "@anyrunner/core";
import { createDockerClient, parseDockerHost, resolveDockerEndpoint, type DockerEndpoint } from "@anyrunner/docker-endpoint";

import type { CommandContext } from "../command-context.ts";
import { checked, type Check, type Recorder } from "./check.ts";

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
const BUDGET_MS = 10_000;

/** Where Docker is, who says so, and whether it could run an engine. Gives what the daemon said of itself. */
export async function checkDocker(
  { env }: CommandContext,
  { record, signal }: { readonly record: Recorder; readonly signal: AbortSignal },
): Promise<{ readonly endpoint: DockerEndpoint; readonly info: DaemonInfo } | undefined> {
  const endpoint = await checked({ id: "docker.endpoint", record, signal }, async () => {
    const value = await resolveDockerEndpoint({ env });
    return { value, detail: describeEndpoint(value) };
  });
  if (endpoint === undefined) return undefined;
  const info = await checked({ id: "docker.daemon", record, signal }, async () => {
    const client = createDockerClient(endpoint);
    try {
      const budget = AbortSignal.any([signal, AbortSignal.timeout(BUDGET_MS)]);
      const version = await client.apiVersion(budget);
      const value = await client.json<DaemonInfo>({ path: "/info", signal: budget });
      return {
        value,
        timed: true,
        detail: `version ${value.ServerVersion ?? "unknown"}, API ${version}, ${value.OSType ?? "?"}/${value.Architecture ?? "?"}, ${value.NCPU ?? "?"} CPUs`,
      };
    } finally {
      client.close();
    }
  });
  if (info === undefined) return undefined;
  for (const check of daemonChecks(info)) record(check);
  return { endpoint, info };
}

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

/** Whether the daemon shares this machine's disk and network, as far as its address tells. */
export function isLocalDaemon({ host }: DockerEndpoint): boolean {
  return parseDockerHost(host).kind === "unix";
}

function describeEndpoint({ host, from, context, tls }: DockerEndpoint): string {
  const parts = [`${host}, from ${formatProvenance(from)}`];
  if (context !== undefined) parts.push(`context ${context}`);
  if (tls !== undefined) parts.push(`TLS from ${formatProvenance(tls.from)}${tls.skipVerify ? ", not verified" : ""}`);
  return parts.join("; ");
}
