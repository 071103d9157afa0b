import type { DockerClient } from "@anyrunner/docker-endpoint";

import { OWNER, OWNER_LABEL, PROCESS_LABEL } from "../executor/labels.ts";
import type { ProcessTable } from "../executor/session.ts";

/** An image that the embedded runner made. */
export interface SnapshotImage {
  readonly id: string;
  /** What it adds to the image that it was made from. */
  readonly bytes: number;
  /** It has no name, so that no step finds it, and no process, container or other image needs it. */
  readonly isUnused: boolean;
}

interface ListedImage {
  readonly Id: string;
  readonly ParentId?: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Size: number;
  /** Seconds since 1970. */
  readonly Created: number;
}

export interface ListSnapshotsOptions {
  readonly processes: ProcessTable;
  readonly signal?: AbortSignal | undefined;
  /** Ms since 1970. Default: the time. */
  readonly now?: number | undefined;
}

/** An image whose maker isn't known may be on its way to a name for that long. */
const UNNAMED_MS = 24 * 60 * 60 * 1000;

/** The images of all embedded runners on a daemon; those that are made from others come first, so that they can be removed in this order. */
export async function listSnapshots(client: DockerClient, { processes, signal, now = Date.now() }: ListSnapshotsOptions): Promise<readonly SnapshotImage[]> {
  const [images, containers] = await Promise.all([
    client.json<readonly ListedImage[]>({ path: "/images/json", query: { all: true }, signal }),
    client.json<readonly { readonly ImageID: string }[]>({ path: "/containers/json", query: { all: true }, signal }),
  ]);
  const sizes = new Map(images.map(({ Id, Size }) => [Id, Size]));
  const children = Map.groupBy(images, ({ ParentId }) => ParentId ?? "");
  const inUse = new Set(containers.map(({ ImageID }) => ImageID));
  const mayBeOnItsWay = async ({ Labels: labels, Created: created }: ListedImage) => {
    const maker = labels?.[PROCESS_LABEL];
    return maker === undefined ? now - created * 1000 < UNNAMED_MS : !(await processes.isDead(maker));
  };
  const found: SnapshotImage[] = [];
  const visited = new Map<string, boolean>();
  const visit = async (image: ListedImage): Promise<boolean> => {
    const known = visited.get(image.Id);
    if (known !== undefined) return known;
    let isUnused = isOurs(image) && isNameless(image) && !inUse.has(image.Id) && !(await mayBeOnItsWay(image));
    for (const child of children.get(image.Id) ?? []) isUnused = (await visit(child)) && isUnused;
    visited.set(image.Id, isUnused);
    if (isOurs(image)) found.push({ id: image.Id, bytes: Math.max(0, image.Size - (sizes.get(image.ParentId ?? "") ?? 0)), isUnused });
    return isUnused;
  };
  for (const image of images) await visit(image);
  return found;
}

function isOurs({ Labels: labels }: ListedImage): boolean {
  return labels?.[OWNER_LABEL] === OWNER;
}

function isNameless({ RepoTags: names }: ListedImage): boolean {
  return (names ?? []).every((name) => name === "<none>:<none>");
}
