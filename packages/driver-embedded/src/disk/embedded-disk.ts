import { join } from "node:path";

import { throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import { createDockerClient, type DockerClient, type DockerEndpoint } from "@anyrunner/docker-endpoint";

import { OWNER, OWNER_LABEL, SNAPSHOT_REPOSITORY } from "../executor/labels.ts";
import { localProcesses, type ProcessTable } from "../executor/session.ts";
import { sweepDeadSessions } from "../executor/sweep.ts";
import { folderBytes } from "./folder-bytes.ts";
import { listSnapshots, type SnapshotImage } from "./snapshot-images.ts";

/** One kind of thing that the embedded runner keeps. */
export interface EmbeddedDiskItem {
  readonly kind: "images" | "volume" | "folder";
  readonly name: string;
  /** Absent when the container engine doesn't say. */
  readonly bytes?: number | undefined;
  /** How many images. */
  readonly count?: number | undefined;
  /** Whether `pruneEmbedded` removes it. */
  readonly prunable: boolean;
}

/** Whose disk is looked at. */
export interface EmbeddedDiskOptions extends CallOptions {
  readonly docker: DockerEndpoint;
  /** The folder for contents and results. */
  readonly state: string;
  readonly processes?: ProcessTable | undefined;
}

/** How long a daemon may take to count what its volumes hold, in ms. */
const BUDGET_MS = 60_000;

/**
 * What the embedded runner keeps: images and volumes of all its sessions on that daemon, and its folder here. Nothing is asked but the
 * daemon, by its lists. What the daemon does not say is left out; fails with ABORTED only.
 */
export async function readEmbeddedDisk({ docker, state, processes = localProcesses(), signal }: EmbeddedDiskOptions): Promise<readonly EmbeddedDiskItem[]> {
  const client = createDockerClient(docker);
  const budget = AbortSignal.any([...(signal === undefined ? [] : [signal]), AbortSignal.timeout(BUDGET_MS)]);
  try {
    const [images, volumes, folders] = await Promise.all([
      listSnapshots(client, { processes, signal: budget }).then(imageItems, () => []),
      listVolumes(client, budget).catch(() => []),
      listFolders(state, budget).catch(() => []),
    ]);
    throwIfAborted(signal);
    return [...images, ...volumes, ...folders];
  } finally {
    client.close();
  }
}

/** What was removed, or would be. */
export interface PrunedEmbedded {
  readonly images: number;
  /** What they took. */
  readonly bytes: number;
}

/**
 * Removes the images that nothing finds and nothing needs any more, and containers of processes that have ended. What makes pipelines
 * fast stays. With `dryRun` it only says what it would remove.
 */
export async function pruneEmbedded(
  { docker, processes = localProcesses(), signal }: Omit<EmbeddedDiskOptions, "state">,
  { dryRun }: { readonly dryRun: boolean },
): Promise<PrunedEmbedded> {
  const client = createDockerClient(docker);
  const removed: SnapshotImage[] = [];
  try {
    if (!dryRun) await sweepDeadSessions(client, processes);
    for (const image of await listSnapshots(client, { processes, signal })) {
      throwIfAborted(signal);
      if (image.isUnused && (dryRun || (await removeImage(client, image.id, signal)))) removed.push(image);
    }
    return { images: removed.length, bytes: sum(removed) };
  } finally {
    client.close();
  }
}

/** Without the images that it was made from, which may be somebody else's. `false`: something needs it by now. */
async function removeImage(client: DockerClient, id: string, signal: AbortSignal | undefined): Promise<boolean> {
  const { status, body } = await client.request({ method: "DELETE", path: `/images/${id}`, query: { noprune: true }, expect: [404, 409], signal });
  body.resume();
  return status === 200;
}

function imageItems(images: readonly SnapshotImage[]): readonly EmbeddedDiskItem[] {
  return [false, true].flatMap((prunable) => {
    const these = images.filter(({ isUnused }) => isUnused === prunable);
    return these.length === 0 ? [] : [{ kind: "images", name: SNAPSHOT_REPOSITORY, count: these.length, bytes: sum(these), prunable }];
  });
}

async function listVolumes(client: DockerClient, signal: AbortSignal): Promise<readonly EmbeddedDiskItem[]> {
  const { Volumes: volumes } = await client.json<{
    readonly Volumes?:
      | readonly { readonly Name: string; readonly Labels?: Readonly<Record<string, string>> | null; readonly UsageData?: { readonly Size: number } | null }[]
      | null;
  }>({
    path: "/system/df",
    // Daemons that don't know this filter count everything.
    query: { type: "volume" },
    signal,
  });
  return (volumes ?? [])
    .filter(({ Labels: labels }) => labels?.[OWNER_LABEL] === OWNER)
    .map(({ Name: name, UsageData: usage }) => ({ kind: "volume", name, prunable: false, ...(usage != null && usage.Size >= 0 && { bytes: usage.Size }) }));
}

async function listFolders(state: string, signal: AbortSignal): Promise<readonly EmbeddedDiskItem[]> {
  const folders = ["blobs", "index", "mirrors"].map((name) => join(state, name));
  const bytes = await Promise.all(folders.map((folder) => folderBytes(folder, signal)));
  return folders.map((name, index) => ({ kind: "folder", name, bytes: bytes[index], prunable: false }));
}

function sum(images: readonly SnapshotImage[]): number {
  return images.reduce((total, { bytes }) => total + bytes, 0);
}
