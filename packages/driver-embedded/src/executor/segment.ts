import type { Readable } from "node:stream";

import { RunnerError, throwIfAborted } from "@anyrunner/core/driver";

import { readContainerFiles, writeContainerFiles } from "./container-files.ts";
import type { ExecResult, ExecStep, ExecutorCall, Segment, SegmentMount, Snapshot } from "./executor.ts";
import { encodeClear, encodeMkdir, encodeRemove, encodeStep } from "./holder/requests.ts";
import { tagSnapshot } from "./images.ts";
import { openPlace, type OpenPlaceOptions } from "./place.ts";
import { sealContainer } from "./seal.ts";
import { stepOutcome } from "./step-outcome.ts";

export interface OpenSegmentOptions extends OpenPlaceOptions {
  /** A seal that took longer makes the segment go on in a new container, as the next seal would copy all of it again. */
  readonly renewAfterMs: number;
  /** Told about each removal of a container, which goes on in the background. */
  readonly onRemoval: (removed: Promise<void>) => void;
  readonly onClose: () => void;
}

export async function openSegment(options: OpenSegmentOptions): Promise<Segment> {
  const { client, spec } = options;
  const temporary = spec.mounts.filter(({ kind }) => kind === "tmpfs").map(({ path }) => path);
  let place = await openPlace(options);
  let state: "open" | "broken" | "closed" = "open";
  /** A snapshot of the present state. */
  let sealed: Snapshot | undefined = options.base;
  let isRenewalDue = false;
  /** Real directories that were removed around a mount: from then on they are there for the mount alone. */
  let hollow: readonly string[] = [];

  const mountPoints = () => [...place.mountPoints, ...hollow];

  /** After a failure nobody knows what the container holds: it is discarded and never sealed. */
  async function guarded<T>(call: ExecutorCall, work: () => Promise<T>): Promise<T> {
    throwIfAborted(call.signal);
    if (state !== "open") throw new RunnerError("INTERNAL", `a segment was used after it was ${state}`);
    try {
      return await work();
    } catch (error) {
      if (RunnerError.is(error) && error.code === "NOT_FOUND") throw error;
      state = "broken";
      place.end();
      throw error;
    }
  }

  const changing = <T>(call: ExecutorCall, work: () => Promise<T>) =>
    guarded(call, async () => {
      if (isRenewalDue && sealed !== undefined) await renew(sealed, call);
      sealed = undefined;
      return work();
    });

  async function renew(base: Snapshot, { signal }: ExecutorCall): Promise<void> {
    const next = await openPlace({ ...options, base, mountPoints: mountPoints(), signal });
    options.onRemoval(place.remove());
    place = next;
    hollow = [];
    isRenewalDue = false;
  }

  return {
    exec: (step, call) => changing(call, () => execute(step, call)),
    put: (tar, path, call) => changing(call, () => put(tar, path, call)),
    remove: (paths, call) => changing(call, () => remove(paths, call)),
    get: (path, { signal }) => guarded({ signal }, () => readContainerFiles(client, { container: place.container, path, mountPoints: mountPoints(), signal })),
    seal: (digest, call) => guarded(call, () => seal(digest, call)),
    async close() {
      if (state === "closed") return;
      state = "closed";
      options.onRemoval(place.remove());
      options.onClose();
    },
  };

  async function execute(step: ExecStep, { signal }: ExecutorCall): Promise<ExecResult> {
    if (step.args.length === 0) throw new RunnerError("INTERNAL", "a step without a command");
    const named = { ...step, workingDir: step.workingDir || "/" };
    const reply = await place.request((nonce) => encodeStep(nonce, named), { stdout: step.stdout, stderr: step.stderr, signal });
    // The engine mounts a new, empty one for each command.
    if (temporary.length > 0) await place.request((nonce) => encodeClear(nonce, temporary), { signal });
    const result = stepOutcome(reply, named);
    if (result.failure?.kind === "command") await step.stderr(Buffer.from(`${result.failure.message}\n`));
    return result;
  }

  async function put(tar: Readable, path: string, { signal }: ExecutorCall): Promise<void> {
    await place.request((nonce) => encodeMkdir(nonce, path), { signal });
    await writeContainerFiles(client, { container: place.container, path, tar, signal });
  }

  async function remove(paths: readonly string[], { signal }: ExecutorCall): Promise<void> {
    const trees = paths.map(removablePath);
    if (trees.length === 0) return;
    await place.request((nonce) => encodeRemove(nonce, trees), { signal });
    hollow = [...new Set([...hollow, ...trees.flatMap((tree) => aroundMounts(tree, spec.mounts))])];
  }

  async function seal(digest: string, { signal }: ExecutorCall): Promise<Snapshot> {
    if (sealed === undefined) {
      const start = performance.now();
      sealed = await sealContainer({ client, container: place.container, base: place.base, digest, mountPoints: mountPoints(), signal });
      isRenewalDue = performance.now() - start > options.renewAfterMs;
    } else await tagSnapshot(client, sealed.image, digest, signal);
    return sealed;
  }
}

function removablePath(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  if (!trimmed.startsWith("/") || /(^|\/)\.\.?(\/|$)/.test(trimmed))
    throw new RunnerError("INTERNAL", `not a path that can be removed: ${JSON.stringify(path)}`);
  return trimmed;
}

/** The directories from `tree` down to each mount in it. */
function aroundMounts(tree: string, mounts: readonly SegmentMount[]): readonly string[] {
  return mounts
    .filter(({ path }) => path === tree || path.startsWith(`${tree}/`))
    .flatMap(({ path }) => {
      const below = path.slice(tree.length).split("/").slice(1);
      return [tree, ...below.map((_, index) => `${tree}/${below.slice(0, index + 1).join("/")}`)];
    });
}
