import { randomBytes } from "node:crypto";
import { access, constants, mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";

import { RunnerError, withinBudget } from "@anyrunner/core/driver";
import type { EngineStream } from "@anyrunner/protocol";

import type { Executor } from "./executor/executor.ts";
import { createHostMirrors } from "./host/mirrors.ts";
import { openIndex } from "./index-store/index-store.ts";
import { createPlanner } from "./plan/planner.ts";
import { loadCoreSchema } from "./schema/core-schema.ts";
import type { EngineParts } from "./schema/query-context.ts";
import { serveClient } from "./server/serve-client.ts";
import { createSessions } from "./server/sessions.ts";
import { createBlobStore } from "./tree/blob-store.ts";

/** An engine in this process: it serves byte streams, and runs containers through an executor. */
export interface EmbeddedEngine {
  /** Serves one stream of a client until either end closes it. Throws NOT_RUNNING after `close`. */
  serve(stream: Duplex): EngineStream;
  /** Ends all sessions and everything that still runs. */
  close(): Promise<void>;
}

export interface EmbeddedEngineOptions {
  readonly executor: Executor;
  /** Folder for contents, results and mirrors; made when missing. */
  readonly state: string;
  /** Shown as the engine's name. Default: the host's name. */
  readonly name?: string | undefined;
}

/** What is kept between sessions: enough for many pipelines, not enough to fill a disk unnoticed for years. */
const SNAPSHOT_LIMITS = { count: 300, ageMs: 14 * 24 * 60 * 60 * 1000 };

/** How long the end of a session waits for snapshots; a client allows ten seconds in all. What is not done by then goes on. */
const SETTLE_MS = 5_000;

/** Makes an engine; nothing is asked of the container engine before the first query. */
export function createEmbeddedEngine({ executor, state, name }: EmbeddedEngineOptions): EmbeddedEngine {
  const store = createBlobStore(join(state, "blobs"));
  let started: Promise<EngineParts> | undefined;
  let closed = false;
  let cpus = availableParallelism();

  const start = async (): Promise<EngineParts> => {
    const facts = await executor.probe({});
    cpus = facts.cpus;
    await makeStateFolder(state);
    // What is cached is true of one store of images only.
    const index = await openIndex(join(state, "index", `${facts.storeId.replace(/[^A-Za-z0-9_.-]/g, "_")}.jsonl`));
    const planner = createPlanner({ executor, index, store, concurrency: Math.max(2, facts.cpus) });
    return { executor, facts, planner, store, localKey: await readLocalKey(join(state, "key")) };
  };
  const engine = () => {
    started ??= start();
    started.catch(() => (started = undefined));
    return started;
  };
  const settle = async () => {
    const parts = await started?.catch(() => undefined);
    if (parts !== undefined) await withinBudget(SETTLE_MS, parts.planner.settle());
  };
  // Nobody is left who could go on with a warm container, or who misses an old snapshot.
  const rest = async () => {
    const planner = (await started?.catch(() => undefined))?.planner;
    if (sessions.size > 0 || planner === undefined) return;
    await planner.close();
    if (sessions.size === 0 && !closed) await planner.collect(SNAPSHOT_LIMITS).catch(() => {});
  };
  const sessions = createSessions({ onRemoved: () => void rest() });
  const streams = new Set<EngineStream>();

  return {
    serve(stream) {
      if (closed) throw new RunnerError("NOT_RUNNING", "the embedded engine was closed", { hint: "make a new one", driver: "embedded" });
      void loadCoreSchema().catch(() => {});
      const served = serveClient(stream, {
        sessions,
        engine,
        settle,
        mirrors: createHostMirrors(join(state, "mirrors")),
        name: name ?? hostname(),
        cpus: () => cpus,
      });
      streams.add(served);
      void served.closed.then(() => streams.delete(served));
      return served;
    },
    async close() {
      closed = true;
      sessions.close();
      await Promise.all([...streams].map((each) => each.close({ graceMs: 100 })));
      const parts = await started?.catch(() => undefined);
      await parts?.planner.close();
      await executor.close();
    },
  };
}

async function makeStateFolder(state: string): Promise<void> {
  try {
    await mkdir(state, { recursive: true, mode: 0o700 });
    await access(state, constants.W_OK);
  } catch (error) {
    throw new RunnerError("PERMISSION_DENIED", `the folder ${state} can't hold the embedded runner's cache: ${(error as Error).message}`, {
      hint: "name one that can be written to: embedded://?state=FOLDER",
      driver: "embedded",
      cause: error,
    });
  }
}

/** A random key of this state folder, so that digests of secret values mean nothing elsewhere. */
async function readLocalKey(file: string): Promise<Uint8Array> {
  try {
    await writeFile(file, randomBytes(32), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFile(file);
}
