import { RunnerError } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";

import type { ExecutorCall, SegmentSpec, Snapshot } from "./executor.ts";
import type { HolderCall, HolderReply } from "./holder/channel.ts";
import { encodePrune } from "./holder/requests.ts";
import type { HolderVolume } from "./holder/volume.ts";
import { findMountPoints } from "./mount-points.ts";
import { openContainer, removeContainer } from "./segment-container.ts";
import { errnoMessage } from "./step-outcome.ts";

/** A running container of a segment. */
export interface Place {
  readonly container: string;
  /** What it was started from. */
  readonly base: Snapshot;
  /** Directories in it that only exist as something is mounted there, parents included. */
  readonly mountPoints: readonly string[];
  /** Asks the holder. Fails with COMMAND_FAILED when an operation on a path failed, else as the channel does. */
  request(encode: (nonce: Buffer) => readonly Uint8Array[], call: HolderCall): Promise<HolderReply>;
  /** Ends everything in it at once. */
  end(): void;
  /** Ends and removes it. */
  remove(): Promise<void>;
}

export interface OpenPlaceOptions extends ExecutorCall {
  readonly client: DockerClient;
  readonly holder: HolderVolume;
  readonly base: Snapshot;
  readonly spec: SegmentSpec;
  readonly labels: Readonly<Record<string, string>>;
  /** Mount points that the base holds from earlier containers. */
  readonly mountPoints: readonly string[];
}

/** Starts a container and takes out of it what earlier mounts left in its base. */
export async function openPlace(options: OpenPlaceOptions): Promise<Place> {
  const { client, base, spec, signal } = options;
  const { id: container, channel } = await openContainer({ ...options, image: base.image });

  async function request(encode: (nonce: Buffer) => readonly Uint8Array[], call: HolderCall): Promise<HolderReply> {
    const reply = await channel.request(encode, call);
    if (reply.kind !== "path-failed") return reply;
    throw new RunnerError("COMMAND_FAILED", `${reply.path}: ${errnoMessage(reply.errno)}`, { details: { path: reply.path, errno: reply.errno } });
  }
  const end = () => channel.destroy();
  const remove = () => {
    end();
    return removeContainer(client, container);
  };

  try {
    const mountPoints = await findMountPoints(client, { container, mounts: spec.mounts, inherited: options.mountPoints, signal });
    const stale = options.mountPoints.filter((path) => !mountPoints.includes(path));
    if (stale.length > 0)
      await request(
        (nonce) =>
          encodePrune(
            nonce,
            stale.toSorted((a, b) => b.length - a.length),
          ),
        { signal },
      );
    return { container, base, mountPoints, request, end, remove };
  } catch (error) {
    await remove().catch(() => {});
    throw error;
  }
}
