import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";

import { RunnerError, throwIfAborted } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";

import type { SegmentMount, SegmentSpec } from "./executor.ts";
import { createHolderChannel, type HolderChannel } from "./holder/channel.ts";
import { HOLDER_FOLDER, HOLDER_PATH, type HolderVolume } from "./holder/volume.ts";
import { OWNER, OWNER_LABEL } from "./labels.ts";

/** A running container with the holder as process 1. */
export interface SegmentContainer {
  readonly id: string;
  readonly channel: HolderChannel;
}

export interface OpenContainerOptions {
  readonly client: DockerClient;
  readonly holder: HolderVolume;
  readonly image: string;
  readonly spec: SegmentSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates and starts a container. It has no environment, no command and no user of its own: those belong to the steps, so
 * none of them can reach a snapshot. The daemon removes it as soon as the holder exits, which it does when its connection
 * ends: a runner that dies leaves no container behind.
 */
export async function openContainer(options: OpenContainerOptions): Promise<SegmentContainer> {
  const { holder, image, labels, signal } = options;
  await holder.ensure({ image, labels, signal });
  try {
    return await startContainer(options);
  } catch (error) {
    if (!isHolderMissing(error)) throw error;
    await holder.fill({ image, labels, signal });
    return await startContainer(options);
  }
}

/** Removes a container and what runs in it, and returns when it is gone; one that is gone already is fine. */
export async function removeContainer(client: DockerClient, id: string): Promise<void> {
  if (await deleteContainer(client, id, [404, 409, 500])) return;
  // The engine itself is about it, as the holder has exited: Docker answers 409, Podman that it "could not be stopped".
  const signal = AbortSignal.timeout(REMOVAL_BUDGET_MS);
  const gone = client.request({ method: "POST", path: `/containers/${id}/wait`, query: { condition: "removed" }, expect: [404], signal });
  await gone.then(({ body }) => text(body)).catch(() => {});
  await deleteContainer(client, id, [404]);
}

async function deleteContainer(client: DockerClient, id: string, expect: readonly number[]): Promise<boolean> {
  const { status, body } = await client.request({ method: "DELETE", path: `/containers/${id}`, query: { force: true, v: true }, expect });
  body.resume();
  return status < 300 || status === 404;
}

const REMOVAL_BUDGET_MS = 10_000;

async function startContainer(options: OpenContainerOptions): Promise<SegmentContainer> {
  const { client, signal } = options;
  const name = `anyrunner-embedded-${randomUUID()}`;
  let channel: HolderChannel | undefined;
  try {
    throwIfAborted(signal);
    await client.json({ method: "POST", path: "/containers/create", query: { name }, json: containerConfig(options), signal });
    const stream = await client.hijack({ method: "POST", path: `/containers/${name}/attach`, query: { stream: 1, stdin: 1, stdout: 1, stderr: 1 }, signal });
    channel = createHolderChannel(stream);
    const started = await client.request({ method: "POST", path: `/containers/${name}/start`, signal });
    started.body.resume();
    throwIfAborted(signal);
    return { id: name, channel };
  } catch (error) {
    channel?.destroy();
    await removeContainer(client, name).catch(() => {});
    throw error;
  }
}

function containerConfig({ image, holder, spec, labels }: OpenContainerOptions): object {
  const holderMount = { Type: "volume", Source: holder.name, Target: HOLDER_FOLDER, ReadOnly: true, VolumeOptions: { NoCopy: true } };
  return {
    Image: image,
    // As on the engine: what a step writes down must not depend on a container's random name.
    Hostname: "dagger",
    Entrypoint: [HOLDER_PATH],
    Cmd: [],
    User: "0:0",
    WorkingDir: "/",
    Labels: labels,
    Healthcheck: { Test: ["NONE"] },
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      AutoRemove: true,
      LogConfig: { Type: "none" },
      NetworkMode: spec.network === "none" ? "none" : undefined,
      Privileged: spec.privileged,
      Mounts: [holderMount, ...spec.mounts.filter((mount) => mount.kind === "cache").map(cacheMount)],
      Tmpfs: Object.fromEntries(spec.mounts.filter((mount) => mount.kind === "tmpfs").map((mount) => [mount.path, tmpfsOptions(mount)])),
    },
  };
}

function cacheMount({ path, volume }: Extract<SegmentMount, { kind: "cache" }>): object {
  return { Type: "volume", Source: volume, Target: path, VolumeOptions: { NoCopy: true, Labels: { [OWNER_LABEL]: OWNER } } };
}

function tmpfsOptions({ sizeBytes }: Extract<SegmentMount, { kind: "tmpfs" }>): string {
  return ["exec", "nosuid", "nodev", "mode=1777", ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])].join(",");
}

function isHolderMissing(error: unknown): boolean {
  return RunnerError.is(error) && error.message.includes(HOLDER_PATH) && /no such file|not found/i.test(error.message);
}
