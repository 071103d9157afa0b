import { RunnerError } from "@anyrunner/core";
import { pause } from "@anyrunner/core/driver";
import type { DockerClient, DockerEndpoint } from "@anyrunner/docker-endpoint";

export interface CountedVolume {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Absent when the daemon doesn't say. */
  readonly bytes?: number | undefined;
}

/** How long a daemon may take to count what its volumes hold, in ms. */
const BUDGET_MS = 60_000;
const PAUSE_MS = 250;

const counts = new WeakMap<AbortSignal, Map<string, Promise<readonly CountedVolume[]>>>();

/**
 * The volumes of a daemon with what they hold, which takes long to count: once for all who ask with the same signal, which a command has one of.
 * Fails as a request does.
 */
export function countVolumes(endpoint: DockerEndpoint, signal: AbortSignal): Promise<readonly CountedVolume[]> {
  const known = counts.get(signal) ?? new Map<string, Promise<readonly CountedVolume[]>>();
  counts.set(signal, known);
  const counting = known.get(endpoint.host) ?? count(endpoint, AbortSignal.any([signal, AbortSignal.timeout(BUDGET_MS)]));
  known.set(endpoint.host, counting);
  return counting;
}

interface DiskUsage {
  readonly Volumes?: readonly VolumeUsage[] | null;
}

interface VolumeUsage {
  readonly Name: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly UsageData?: { readonly Size: number } | null;
}

async function count(endpoint: DockerEndpoint, signal: AbortSignal): Promise<readonly CountedVolume[]> {
  const { createDockerClient } = await import("@anyrunner/docker-endpoint");
  const client = createDockerClient(endpoint);
  try {
    const { Volumes: volumes } = await whenItsTurn(client, signal);
    return (volumes ?? []).map(({ Name: name, Labels: labels, UsageData: usage }) => {
      const bytes = usage?.Size ?? -1;
      return { name, labels: labels ?? {}, ...(bytes >= 0 && { bytes }) };
    });
  } finally {
    client.close();
  }
}

/** Daemons before 22 count for one caller at a time, and refuse the others. */
async function whenItsTurn(client: DockerClient, signal: AbortSignal): Promise<DiskUsage> {
  for (;;) {
    try {
      // Those that don't know this filter count everything.
      return await client.json<DiskUsage>({ path: "/system/df", query: { type: "volume" }, signal });
    } catch (error) {
      if (!RunnerError.is(error) || !/disk usage operation is already running/i.test(error.message)) throw error;
    }
    await pause(PAUSE_MS, signal);
  }
}
