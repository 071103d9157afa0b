import type { Executor, Snapshot } from "../executor/executor.ts";
import type { IndexStore, SnapshotLimits } from "../index-store/index-store.ts";
import type { BlobStore } from "../tree/blob-store.ts";
import { folderEntries, writeTar } from "../tree/tar-write.ts";
import type { Call } from "./call.ts";
import type { Operation } from "./operation.ts";

/** The states that the executor keeps, by the keys of the operations behind which they are. */
export interface Snapshots {
  /** The state after `operation`, from the index or made of its tree; `undefined` where there is none. What the index names is looked for once in a process. */
  find(operation: Operation, key: string, call: Call): Promise<Snapshot | undefined>;
  remember(key: string, snapshot: Snapshot): Promise<Snapshot>;
  /** For one that turned out to be gone: it is looked for again. Whether it had been seen before. */
  doubt(key: string): boolean;
  /** Gives up those that are too old or too many. */
  collect(limits: SnapshotLimits): Promise<void>;
}

export interface SnapshotsOptions {
  readonly executor: Pick<Executor, "find" | "forget" | "importTree">;
  readonly index: IndexStore;
  readonly store: BlobStore;
}

export function createSnapshots({ executor, index, store }: SnapshotsOptions): Snapshots {
  const seen = new Set<string>();

  const remember = async (key: string, snapshot: Snapshot): Promise<Snapshot> => {
    seen.add(key);
    await index.setSnapshot(key, snapshot);
    return snapshot;
  };

  const known = async (key: string, call: Call): Promise<Snapshot | undefined> => {
    const noted = index.snapshot(key);
    if (noted === undefined || seen.has(key)) return noted;
    const found = await executor.find(key, { signal: call.signal });
    if (found === undefined) {
      await index.setSnapshot(key, undefined);
      return undefined;
    }
    seen.add(key);
    await index.touch(key);
    return found;
  };

  return {
    remember,
    async find(operation, key, call) {
      if (operation.kind === "image") return operation.snapshot;
      const found = await known(key, call);
      if (found !== undefined || operation.kind !== "tree") return found;
      const tree = await operation.tree(call);
      if (tree === undefined) return undefined;
      const { signal, report } = call;
      return remember(key, await executor.importTree({ digest: key, tar: () => writeTar(folderEntries(tree), store) }, { signal, report }));
    },
    doubt: (key) => seen.delete(key),
    async collect(limits) {
      for (const key of index.stale(limits)) {
        seen.delete(key);
        await executor.forget(key, {});
        await index.setSnapshot(key, undefined);
      }
    },
  };
}
