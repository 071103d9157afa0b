import { baseEngineVersion, normalizeEngineVersion, RunnerError, signalWithin, throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import { createDockerClient, resolveDockerEndpoint } from "@anyrunner/docker-endpoint";
import { engineTagOf, isOwnedEngine } from "@anyrunner/engine-container";

import { listRunning } from "./list-engines.ts";

/** Which engine is looked for, and for how long. */
export interface FindRunningEngineOptions extends CallOptions {
  /** `X.Y.Z` or `vX.Y.Z`: only an engine of exactly this version counts. */
  readonly version: string;
  /** Default false: engines with GPU support are not taken. */
  readonly gpu?: boolean | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long the daemon may take, in ms. Default 1000. */
  readonly budgetMs?: number | undefined;
}

/** An engine that runs on the local Docker. */
export interface RunningEngine {
  /** Leads to it: `docker-container://NAME`. */
  readonly url: string;
  /** The container's name. */
  readonly container: string;
}

/**
 * Step 6 of the resolution order: an engine of that version that runs on the local Docker, one of ours before one of the official
 * client. `undefined` when there is none, or no Docker that answers in time. Fails only with ABORTED.
 */
export async function findRunningEngine(options: FindRunningEngineOptions): Promise<RunningEngine | undefined> {
  const { env, budgetMs = 1000, gpu = false } = options;
  throwIfAborted(options.signal);
  const signal = signalWithin(budgetMs, options.signal);
  try {
    const client = createDockerClient(await resolveDockerEndpoint({ env }), { connectBudgetMs: budgetMs });
    try {
      const engines = await listRunning(client, { signal });
      const fitting = engines.filter((engine) => {
        const tag = engineTagOf(engine);
        return tag !== undefined && tag.gpu === gpu && isVersion(tag.version, options.version);
      });
      const found = fitting.toSorted((a, b) => Number(isOwnedEngine(b.labels)) - Number(isOwnedEngine(a.labels)) || (a.name < b.name ? -1 : 1))[0];
      return found === undefined ? undefined : { url: `docker-container://${found.name}`, container: found.name };
    } finally {
      client.close();
    }
  } catch (error) {
    throwIfAborted(options.signal);
    if (RunnerError.is(error)) return undefined;
    throw error;
  }
}

/** Equal but for the build part; pre-releases are versions of their own. */
function isVersion(one: string, other: string): boolean {
  const plain = (text: string) => normalizeEngineVersion(text).replace(/\+.*$/, "");
  return baseEngineVersion(other) !== "" && plain(one) === plain(other);
}
