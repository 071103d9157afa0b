import type { DockerClient } from "@anyrunner/docker-endpoint";

import type { ExecutorCall, SegmentMount } from "./executor.ts";

export interface FindMountPointsOptions extends ExecutorCall {
  readonly container: string;
  readonly mounts: readonly SegmentMount[];
  /** Those that the container's image holds already. */
  readonly inherited: readonly string[];
}

/**
 * The directories that exist in a container only as something is mounted there, parents included: the engine makes them in
 * the container's own layer, so they would stay in a snapshot. To be asked before the first step, when nothing else is there.
 */
export async function findMountPoints(client: DockerClient, options: FindMountPointsOptions): Promise<readonly string[]> {
  const { container, mounts, inherited, signal } = options;
  if (mounts.length === 0) return [];
  const changes = await client.json<readonly { readonly Path: string; readonly Kind: number }[] | null>({ path: `/containers/${container}/changes`, signal });
  const isNeeded = (path: string) => mounts.some((mount) => mount.path === path || mount.path.startsWith(`${path}/`));
  const added = (changes ?? []).filter(({ Kind }) => Kind === ADDED).map(({ Path }) => Path);
  return [...new Set([...inherited, ...added])].filter(isNeeded);
}

/** The label of a snapshot: base64, as the ways to set labels treat quotes differently. */
export function encodeMountPoints(paths: readonly string[]): string {
  return Buffer.from(JSON.stringify(paths)).toString("base64url");
}

/** Reads what `encodeMountPoints` wrote; anything else is none. */
export function parseMountPoints(label: string | undefined): readonly string[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(label ?? "", "base64url").toString("utf8"));
    return Array.isArray(value) ? value.filter((path) => typeof path === "string") : [];
  } catch {
    return [];
  }
}

const ADDED = 1;
