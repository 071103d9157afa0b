import type { CallOptions } from "@anyrunner/core/driver";
import { cacheFateOfEnd, cacheLossAtStart } from "@anyrunner/engine-container";

import type { Cluster } from "./cluster.ts";
import { readPodLog } from "./pod-log.ts";
import type { PodPlace } from "./run-in-pod.ts";

const START_LOG_BYTES = 1024 * 1024;
const END_LOG_BYTES = 256 * 1024;
/** A log goes with its pod; what it said before is on the way for a moment. */
const LAST_WORDS_BUDGET_MS = 2000;

interface LastWords {
  tell(name: string): Promise<void>;
  /** Listens no longer. */
  end(): void;
}

/** Listens to an engine's log, which is gone with its pod; `tell` reports what its end said of the cache. */
export function watchLastWords(cluster: Cluster, place: PodPlace, { signal, report }: CallOptions): LastWords {
  const over = new AbortController();
  let text = "";
  const read = (async () => {
    const call = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
    for await (const chunk of readPodLog(cluster, { ...place, tail: 0, follow: true, signal: call })) text = (text + chunk).slice(-END_LOG_BYTES);
  })().catch(() => undefined);
  return {
    end: () => over.abort(),
    async tell(name) {
      const timer = setTimeout(() => over.abort(), LAST_WORDS_BUDGET_MS);
      await read;
      clearTimeout(timer);
      const event = cacheFateOfEnd(name, text);
      if (event !== undefined) report?.(event);
    },
  };
}

/** Warns when an engine that has just been started says that it discarded its cache. A log that can't be read says nothing. */
export async function tellCacheLoss(cluster: Cluster, place: PodPlace, name: string, { signal, report }: CallOptions): Promise<void> {
  if (report === undefined) return;
  let text = "";
  try {
    for await (const chunk of readPodLog(cluster, { ...place, signal })) {
      text += chunk;
      if (text.length > START_LOG_BYTES) break;
    }
  } catch {
    return;
  }
  const event = cacheLossAtStart(name, text);
  if (event !== undefined) report(event);
}
