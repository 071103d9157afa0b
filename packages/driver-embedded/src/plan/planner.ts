import type { Readable } from "node:stream";

import { RunnerError, throwIfAborted } from "@anyrunner/core/driver";

import type { Executor, SegmentSpec, Snapshot } from "../executor/executor.ts";
import type { ExecRecord, IndexStore, SnapshotLimits } from "../index-store/index-store.ts";
import type { BlobStore } from "../tree/blob-store.ts";
import type { Call } from "./call.ts";
import { createExecSpans } from "./exec-spans.ts";
import type { ExecOperation, Operation } from "./operation.ts";
import { putInto } from "./put-into.ts";
import { runExec } from "./run-exec.ts";
import { createSegmentPool, specKey, type Place } from "./segment-pool.ts";
import { createSemaphore } from "./semaphore.ts";
import { createInFlight } from "./shared.ts";
import { createSnapshots } from "./snapshots.ts";

/** Decides what has to run, where, and what of it is kept. */
export interface Planner {
  /** What the command gave: from the index, from one that runs just now, or by running it. Fails with `ExecError`. */
  run(operation: ExecOperation, call: Call): Promise<ExecRecord>;
  /** A path of the root file system after `operation`, as the executor gives it. Fails with NOT_FOUND. */
  read<T>(operation: Operation, path: string, call: Call, use: (tar: Readable) => Promise<T>): Promise<T>;
  /** Waits for snapshots that are being made in the background. */
  settle(): Promise<void>;
  /** Gives up snapshots that are too old or too many; for when nothing runs. */
  collect(limits: SnapshotLimits): Promise<void>;
  /** Settles, then closes the segments that are kept warm. */
  close(): Promise<void>;
}

export interface PlannerOptions {
  readonly executor: Executor;
  readonly index: IndexStore;
  readonly store: BlobStore;
  /** How many commands run at a time. */
  readonly concurrency: number;
  /** How long a segment is kept warm for a pipeline that goes on. Default 10 s. */
  readonly idleMs?: number | undefined;
}

const PLAIN: SegmentSpec = { mounts: [], privileged: false, network: "default", expectedSteps: 1 };

export function createPlanner({ executor, index, store, concurrency, idleMs }: PlannerOptions): Planner {
  const pool = createSegmentPool({ idleMs: idleMs ?? 10_000 });
  const enter = createSemaphore(concurrency);
  const runs = createInFlight<ExecRecord>();
  const seals = new Map<string, Promise<Snapshot>>();
  const snapshots = createSnapshots({ executor, index, store });
  const startSpan = createExecSpans();

  const run = (operation: ExecOperation, call: Call, following = 0): Promise<ExecRecord> => runKeyed(operation, call, following, false);

  const runKeyed = async (operation: ExecOperation, call: Call, following: number, again: boolean): Promise<ExecRecord> => {
    const key = await operation.key(call);
    const known = index.exec(key);
    if (known !== undefined && !again) {
      startSpan(operation, key, call)?.end({ cached: true });
      return known;
    }
    return runs(key, call, (joined) => execute(operation, key, joined, following));
  };

  /** Puts a segment into the state before `operation`, runs the command there, and leaves the segment to whoever goes on. */
  const execute = async (operation: ExecOperation, key: string, call: Call, following: number): Promise<ExecRecord> => {
    const spec = specOf(operation, following + 1);
    const place = await arrive(operation.parent, spec, call, following + 1);
    const span = startSpan(operation, key, call);
    try {
      const record = await enter(call.signal, () => runExec({ segment: place.segment, exec: operation.exec, store, call: { ...call, span } }));
      await index.setExec(key, record);
      Object.assign(place, { position: key, replaceable: false });
      pool.give(place);
      span?.end();
      // A pipeline often goes on from here, or comes back in another session: the state is kept while nobody waits for it.
      if (following === 0) void sealIdle(key);
      return record;
    } catch (error) {
      await pool.drop(place);
      const canceled = call.signal.aborted;
      span?.end(canceled ? { canceled } : { error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  };

  /** A segment of `spec` in the state after `operation`; the caller has it alone and may change it. */
  const arrive = async (operation: Operation, spec: SegmentSpec, call: Call, following: number): Promise<Place> => {
    const key = await operation.key(call);
    // The state of a command that has not run yet exists only after it ran; it is then found warm.
    if (operation.kind === "exec") await run(operation, call, sameSpec(operation, spec) ? following : 0);
    const wanted = specKey(spec);
    for (;;) {
      throwIfAborted(call.signal);
      await seals.get(key)?.catch(() => {});
      const warm = pool.take(key, wanted);
      if (warm !== undefined) {
        // A step runs once: whoever branches from this state later must find it as it is now.
        if (!warm.replaceable) await seal(warm, "keep");
        return warm;
      }
      const snapshot = await snapshots.find(operation, key, call);
      const opened = snapshot === undefined ? undefined : await open(snapshot, spec, operation, key, call);
      if (opened !== undefined) return opened;
      if (operation.kind === "put" || operation.kind === "remove") return change(operation, key, spec, call, following);
      // A command ran just now, but with other mounts: the next one goes on from a snapshot of it.
      const other = pool.take(key);
      if (other !== undefined) {
        await seal(other, "give");
      } else if (operation.kind === "exec" && !seals.has(key)) await replay(operation, call);
    }
  };

  /** Undefined where the snapshot turns out to be gone: somebody removed it since it was looked for. */
  const open = async (snapshot: Snapshot, spec: SegmentSpec, operation: Operation, key: string, call: Call): Promise<Place | undefined> => {
    try {
      const segment = await executor.open(snapshot, spec, { signal: call.signal, report: call.report });
      return { segment, spec: specKey(spec), mounted: spec.mounts.length > 0, position: key, replaceable: true };
    } catch (error) {
      if (operation.kind === "image" || !isNotFound(error) || !snapshots.doubt(key)) throw error;
      return undefined;
    }
  };

  const change = async (
    operation: Exclude<Operation, { kind: "exec" | "tree" | "image" }>,
    key: string,
    spec: SegmentSpec,
    call: Call,
    following: number,
  ): Promise<Place> => {
    const place = await arrive(operation.parent, spec, call, following);
    try {
      if (operation.kind === "remove") await place.segment.remove(operation.paths, { signal: call.signal });
      else await putInto(place.segment, await operation.put(call), { store, signal: call.signal });
      return Object.assign(place, { position: key, replaceable: true });
    } catch (error) {
      await pool.drop(place);
      throw error;
    }
  };

  /** Not abortable: it is short, and others may wait for it. A segment that can't be sealed is closed. */
  const seal = (place: Place, after: "keep" | "give"): Promise<Snapshot> => {
    const key = place.position;
    const sealing = (async () => {
      try {
        const snapshot = await snapshots.remember(key, await place.segment.seal(key, {}));
        place.replaceable = true;
        // Before anyone who waits for the seal goes on, so that the warm segment is there to be found.
        if (after === "give") pool.give(place);
        return snapshot;
      } catch (error) {
        await pool.drop(place);
        throw error;
      } finally {
        seals.delete(key);
      }
    })();
    seals.set(key, sealing);
    return sealing;
  };

  const sealIdle = async (key: string): Promise<void> => {
    const place = pool.take(key);
    if (place === undefined) return;
    // Nobody waits for it: without a snapshot the step runs again when its files are needed.
    if (place.replaceable) pool.give(place);
    else await seal(place, "give").catch(() => {});
  };

  /** The state of a command is needed whose result is known, but whose files are gone: its snapshot was removed, or never made. */
  const replay = async (operation: ExecOperation, call: Call): Promise<void> => {
    call.report?.({
      type: "warning",
      id: "embedded-replay",
      message: "a cached step runs again, because its snapshot is gone",
      hint: "keep the images named anyrunner-embedded to avoid it",
    });
    await runKeyed(operation, call, 0, true);
  };

  return {
    run: (operation, call) => run(operation, call),
    async read(operation, path, call, use) {
      const key = await operation.key(call);
      if (operation.kind === "exec") await run(operation, call);
      await seals.get(key)?.catch(() => {});
      const found = pool.take(key);
      // Contents of mounts are not the root file system's: what it holds is read from a snapshot then.
      if (found?.mounted) await (found.replaceable ? pool.give(found) : seal(found, "give"));
      const warm = found?.mounted ? undefined : found;
      const snapshot = warm === undefined ? await snapshots.find(operation, key, call) : undefined;
      if (snapshot !== undefined) return use(await executor.read(snapshot, path, { signal: call.signal }));
      const place = warm ?? (await arrive(operation, operation.kind === "exec" ? specOf(operation, 1) : PLAIN, call, 0));
      if (!place.replaceable) await seal(place, "keep");
      try {
        const result = await use(await place.segment.get(path, { signal: call.signal }));
        pool.give(place);
        return result;
      } catch (error) {
        // A path that is not there breaks nothing; after anything else the segment is of no more use.
        if (isNotFound(error)) pool.give(place);
        else await pool.drop(place);
        throw error;
      }
    },
    async settle() {
      await Promise.allSettled(seals.values());
    },
    collect: (limits) => snapshots.collect(limits),
    async close() {
      await Promise.allSettled(seals.values());
      await pool.drain();
    },
  };
}

function isNotFound(error: unknown): boolean {
  return RunnerError.is(error) && error.code === "NOT_FOUND";
}

function specOf({ exec }: ExecOperation, expectedSteps: number): SegmentSpec {
  return { mounts: exec.mounts, privileged: exec.privileged, network: "default", expectedSteps };
}

function sameSpec(operation: ExecOperation, spec: SegmentSpec): boolean {
  return specKey(specOf(operation, 1)) === specKey(spec);
}
