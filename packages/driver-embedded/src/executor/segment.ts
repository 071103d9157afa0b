import type { Readable } from "node:stream";

import { RunnerError, throwIfAborted } from "@anyrunner/core";
import type { DockerClient } from "@anyrunner/docker-endpoint";

import { exportContainer, readContainerFiles, writeContainerFiles } from "./container-files.ts";
import type { ExecResult, ExecStep, ExecutorCall, Segment, SegmentSpec, Snapshot } from "./executor.ts";
import type { HolderReply, HolderCall } from "./holder/channel.ts";
import { encodeMkdir, encodePrune, encodeRemove, encodeStep } from "./holder/requests.ts";
import type { HolderVolume } from "./holder/volume.ts";
import { importTree, labelChanges, snapshotTag, tagSnapshot } from "./images.ts";
import { SNAPSHOT_REPOSITORY } from "./labels.ts";
import { findMountPoints } from "./mount-points.ts";
import { openContainer, removeContainer } from "./segment-container.ts";
import { errnoMessage, stepOutcome } from "./step-outcome.ts";

export interface OpenSegmentOptions extends ExecutorCall {
  readonly client: DockerClient;
  readonly holder: HolderVolume;
  readonly base: Snapshot;
  readonly spec: SegmentSpec;
  readonly labels: Readonly<Record<string, string>>;
  /** Mount points that the base holds from earlier segments. */
  readonly mountPoints: readonly string[];
  /** Told once about the removal of the container, which goes on in the background. */
  readonly onClose: (removed: Promise<void>) => void;
}

/** A daemon refuses more than about 125 layers; flattening costs a copy of everything, so it comes late. */
const LAYER_LIMIT = 100;

export async function openSegment(options: OpenSegmentOptions): Promise<Segment> {
  const { client, base, spec, signal } = options;
  const { id, channel } = await openContainer({ ...options, image: base.image });
  let state: "open" | "broken" | "closed" = "open";
  let mountPoints: readonly string[] = [];
  /** A snapshot of the present state. */
  let sealed: Snapshot | undefined = base;

  const close = () => {
    if (state === "closed") return;
    state = "closed";
    channel.destroy();
    options.onClose(removeContainer(client, id));
  };

  /** After a failure nobody knows what the container holds: it is discarded and never sealed. */
  async function guarded<T>(call: ExecutorCall, work: () => Promise<T>, options: { readonly changes: boolean }): Promise<T> {
    throwIfAborted(call.signal);
    if (state !== "open") throw new RunnerError("INTERNAL", `a segment was used after it was ${state}`);
    if (options.changes) sealed = undefined;
    try {
      return await work();
    } catch (error) {
      if (RunnerError.is(error) && error.code === "NOT_FOUND") throw error;
      state = "broken";
      channel.destroy();
      throw error;
    }
  }

  async function request(encode: (nonce: Buffer) => readonly Uint8Array[], call: HolderCall): Promise<HolderReply> {
    const reply = await channel.request(encode, call);
    if (reply.kind === "path-failed") throw new RunnerError("COMMAND_FAILED", `${reply.path}: ${errnoMessage(reply.errno)}`, { details: { path: reply.path, errno: reply.errno } });
    return reply;
  }

  try {
    mountPoints = await findMountPoints(client, { container: id, mounts: spec.mounts, inherited: options.mountPoints, signal });
    const stale = options.mountPoints.filter((path) => !mountPoints.includes(path));
    if (stale.length > 0) await request((nonce) => encodePrune(nonce, stale.toSorted((a, b) => b.length - a.length)), { signal });
  } catch (error) {
    close();
    throw error;
  }

  return {
    exec: (step, call) => guarded(call, () => execute(step, call), { changes: true }),
    put: (tar, path, call) => guarded(call, () => put(tar, path, call), { changes: true }),
    get: (path, call) => guarded(call, () => readContainerFiles(client, { container: id, path, mountPoints, signal: call.signal }), { changes: false }),
    remove: (paths, call) => guarded(call, () => remove(paths, call), { changes: true }),
    seal: (digest, call) => guarded(call, () => seal(digest, call), { changes: false }),
    async close() {
      close();
    },
  };

  async function execute(step: ExecStep, { signal: aborted }: ExecutorCall): Promise<ExecResult> {
    if (step.args.length === 0) throw new RunnerError("INTERNAL", "a step without a command");
    const named = { ...step, workingDir: step.workingDir || "/" };
    const reply = await request((nonce) => encodeStep(nonce, named), { stdout: step.stdout, stderr: step.stderr, signal: aborted });
    const result = stepOutcome(reply, named);
    if (result.failure?.kind === "command") await step.stderr(Buffer.from(`${result.failure.message}\n`));
    return result;
  }

  async function put(tar: Readable, path: string, { signal: aborted }: ExecutorCall): Promise<void> {
    await request((nonce) => encodeMkdir(nonce, path), { signal: aborted });
    await writeContainerFiles(client, { container: id, path, tar, signal: aborted });
  }

  async function remove(paths: readonly string[], { signal: aborted }: ExecutorCall): Promise<void> {
    const trees = paths.map(removablePath);
    if (trees.length > 0) await request((nonce) => encodeRemove(nonce, trees), { signal: aborted });
  }

  async function seal(digest: string, { signal: aborted }: ExecutorCall): Promise<Snapshot> {
    if (sealed === undefined) sealed = await sealContainer({ client, container: id, base, digest, mountPoints, signal: aborted });
    else await tagSnapshot(client, sealed.image, digest, aborted);
    return sealed;
  }
}

interface SealOptions extends ExecutorCall {
  readonly client: DockerClient;
  readonly container: string;
  readonly base: Snapshot;
  readonly digest: string;
  readonly mountPoints: readonly string[];
}

/** The container isn't paused meanwhile: nothing but the holder runs in it between steps. */
async function sealContainer({ client, container, base, digest, mountPoints, signal }: SealOptions): Promise<Snapshot> {
  if (base.layers >= LAYER_LIMIT) {
    return importTree(client, await exportContainer(client, { container, mountPoints, signal }), { digest, signal });
  }
  const query = new URLSearchParams({ container, repo: SNAPSHOT_REPOSITORY, tag: snapshotTag(digest), pause: "false" });
  for (const change of labelChanges(digest, mountPoints)) query.append("changes", change);
  const { Id: image } = await client.json<{ Id: string }>({ method: "POST", path: `/commit?${query}`, json: {}, signal });
  return { image: image.startsWith("sha256:") ? image : `sha256:${image}`, layers: base.layers + 1 };
}

function removablePath(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  if (!trimmed.startsWith("/") || /(^|\/)\.\.?(\/|$)/.test(trimmed)) throw new RunnerError("INTERNAL", `not a path that can be removed: ${JSON.stringify(path)}`);
  return trimmed;
}
