import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";

import type { DockerClient } from "@anyrunner/docker-endpoint";

import { readContainerFiles } from "./container-files.ts";
import { parseMountPoints } from "./mount-points.ts";
import type { ExecutorCall, Snapshot } from "./executor.ts";
import type { DockerImage } from "./images.ts";
import { MOUNT_POINTS_LABEL } from "./labels.ts";
import { removeContainer } from "./segment-container.ts";
import type { Session } from "./session.ts";

/** Reads files of snapshots through containers that never start. */
export interface SnapshotReader {
  read(snapshot: Snapshot, path: string, call: ExecutorCall): Promise<Readable>;
  /** Removes the containers, in the background. */
  close(): void;
}

export interface SnapshotReaderOptions {
  readonly client: DockerClient;
  readonly ready: (call: ExecutorCall) => Promise<{ readonly session: Session }>;
  readonly describe: (image: string, call: ExecutorCall) => Promise<DockerImage>;
  readonly inBackground: (work: Promise<void>) => void;
}

/** How many snapshots keep their container, as the next read is often of the same one. */
const KEPT_CONTAINERS = 4;

export function createSnapshotReader({ client, ready, describe, inBackground }: SnapshotReaderOptions): SnapshotReader {
  const containers = new Map<string, Promise<string>>();

  async function create(image: string): Promise<string> {
    const { session } = await ready({});
    const name = `anyrunner-embedded-${randomUUID()}`;
    await client.json({
      method: "POST",
      path: "/containers/create",
      query: { name },
      json: { Image: image, Entrypoint: ["/none"], Labels: session.labels, HostConfig: { NetworkMode: "none" } },
    });
    return name;
  }

  function containerOf(image: string): Promise<string> {
    const container = containers.get(image) ?? create(image);
    containers.delete(image);
    containers.set(image, container);
    container.catch(() => containers.delete(image));
    const [oldest] = containers.keys();
    if (containers.size > KEPT_CONTAINERS && oldest !== undefined) drop(oldest);
    return container;
  }

  function drop(image: string): void {
    const container = containers.get(image);
    containers.delete(image);
    if (container !== undefined) inBackground(container.then((name) => removeContainer(client, name)));
  }

  return {
    async read({ image }, path, call) {
      const { Config } = await describe(image, call);
      const container = await containerOf(image);
      const mountPoints = parseMountPoints(Config?.Labels?.[MOUNT_POINTS_LABEL]);
      return readContainerFiles(client, { container, path, mountPoints, signal: call.signal });
    },
    close() {
      for (const image of [...containers.keys()]) drop(image);
    },
  };
}
