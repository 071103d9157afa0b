import type { DockerClient } from "@anyrunner/docker-endpoint";

import { exportContainer } from "./container-files.ts";
import type { ExecutorCall, Snapshot } from "./executor.ts";
import { importTree, labelChanges, snapshotTag } from "./images.ts";
import { SNAPSHOT_REPOSITORY } from "./labels.ts";

export interface SealOptions extends ExecutorCall {
  readonly client: DockerClient;
  readonly container: string;
  /** What the container was started from. */
  readonly base: Snapshot;
  readonly digest: string;
  readonly mountPoints: readonly string[];
}

/** A daemon refuses more than about 125 layers; flattening costs a copy of everything, so it comes late. */
const LAYER_LIMIT = 100;

/**
 * Makes a snapshot of a container. It isn't paused meanwhile: nothing but the holder runs in it between steps. The costs grow
 * with all that changed since the container was started.
 */
export async function sealContainer({ client, container, base, digest, mountPoints, signal }: SealOptions): Promise<Snapshot> {
  if (base.layers >= LAYER_LIMIT) {
    return importTree(client, await exportContainer(client, { container, mountPoints, signal }), { digest, signal });
  }
  const query = new URLSearchParams({ container, repo: SNAPSHOT_REPOSITORY, tag: snapshotTag(digest), pause: "false" });
  for (const change of labelChanges(digest, mountPoints)) query.append("changes", change);
  const { Id: image } = await client.json<{ Id: string }>({ method: "POST", path: `/commit?${query.toString()}`, json: {}, signal });
  return { image: image.startsWith("sha256:") ? image : `sha256:${image}`, layers: base.layers + 1 };
}
