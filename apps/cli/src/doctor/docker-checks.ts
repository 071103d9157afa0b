import { formatProvenance } from "@anyrunner/core";
import { createDockerClient, parseDockerHost, resolveDockerEndpoint, type DockerEndpoint } from "@anyrunner/docker-endpoint";
import { daemonChecks, type DaemonInfo } from "@anyrunner/engine-container";

import type { CommandContext } from "../command-context.ts";
import { checked, type Recorder } from "./check.ts";

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
