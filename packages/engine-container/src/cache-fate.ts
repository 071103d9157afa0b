import type { RunnerEvent } from "@anyrunner/core";

import { isImageBefore } from "./image-version.ts";

/** What an engine logs when it has written down its cache, and when it finds at its start that it had not (decisions.md 4). */
const KEPT = "marking dagql cache clean shutdown";
const DISCARDED = /local cache state invalid; resetting[^\n]*/;

/** The first that marks its cache as complete, and discards one that isn't marked (read in its source). */
const MARKS_SINCE = "v0.21.0";

/**
 * What the end of an engine's log says of its cache; `undefined` when it is no engine's. Only the next start tells for sure. `image`: its name, where
 * it is known, since engines before 0.21 don't say it.
 */
export function cacheFateOfEnd(name: string, log: string, image?: string): RunnerEvent | undefined {
  if (log.includes(KEPT) || (image !== undefined && isImageBefore(image, MARKS_SINCE)))
    return { type: "progress", id: `cache-kept-${name}`, message: `the engine "${name}" stopped; its cache is kept`, done: true };
  if (!log.includes("dagger-engine") && !log.includes("buildkit")) return undefined;
  return {
    type: "warning",
    id: `cache-unsure-${name}`,
    message: `the engine "${name}" ended without saying that its cache is complete: it may discard it at the next start`,
    hint: "give it more time to stop",
  };
}

/** The warning when the log of an engine since its start says that it discarded its cache. */
export function cacheLossAtStart(name: string, log: string): RunnerEvent | undefined {
  const found = DISCARDED.exec(log);
  if (found === null) return undefined;
  const reason = /reason="?([^"\n]*?)"?( \w+=|$)/.exec(found[0])?.[1];
  return {
    type: "warning",
    id: `cache-discarded-${name}`,
    message: `the engine "${name}" discarded its cache at this start${reason === undefined ? "" : `: ${reason}`}`,
    hint: "let an engine end by itself: anyrunner stop waits for it",
  };
}
