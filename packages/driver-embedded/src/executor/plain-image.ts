import type { DockerClient } from "@anyrunner/docker-endpoint";

import { exportContainer } from "./container-files.ts";
import type { ExecutorCall, Snapshot } from "./executor.ts";
import { findSnapshot, importTree, type DockerImage } from "./images.ts";
import { removeContainer } from "./segment-container.ts";

export interface WithoutVolumesOptions extends ExecutorCall {
  readonly base: Snapshot;
  readonly image: DockerImage;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The base itself, or a copy if its image declares volumes: the engine would mount one there, and no snapshot would hold what
 * a step writes to it. The copy is made once per image.
 */
export async function withoutVolumes(client: DockerClient, { base, image, labels, signal }: WithoutVolumesOptions): Promise<Snapshot> {
  if (Object.keys(image.Config?.Volumes ?? {}).length === 0) return base;
  const digest = `plain-${base.image.replace(":", "-")}`;
  const present = await findSnapshot(client, digest, signal);
  if (present !== undefined) return present;
  const { Id: container } = await client.json<{ Id: string }>({
    method: "POST",
    path: "/containers/create",
    json: { Image: base.image, Entrypoint: ["/none"], Labels: labels, HostConfig: { NetworkMode: "none" } },
    signal,
  });
  try {
    return await importTree(client, await exportContainer(client, { container, mountPoints: [], signal }), { digest, signal });
  } finally {
    await removeContainer(client, container);
  }
}
