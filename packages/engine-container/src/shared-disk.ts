import type { JsonObject } from "@anyrunner/core";

/** What an engine takes of its disk by default, and what it keeps free (engine protocol 8.3). */
const MAX_USED_PERCENT = 75;
const MIN_FREE_PERCENT = 20;
const RESERVED_BYTES = 10_000_000_000;

/**
 * An engine.json with limits of garbage collection for one of `engines` engines on the same disk: together they claim what one does by
 * default. `undefined` when the file has limits of its own, or when there is nothing to share. The engine takes its defaults only
 * where no limit is given, so all three are.
 */
export function shareDisk(config: JsonObject, engines: number): JsonObject | undefined {
  if (config["gc"] !== undefined || engines < 2) return undefined;
  return {
    ...config,
    gc: {
      maxUsedSpace: `${Math.max(1, Math.floor(MAX_USED_PERCENT / engines))}%`,
      minFreeSpace: `${MIN_FREE_PERCENT}%`,
      reservedSpace: Math.floor(RESERVED_BYTES / engines),
    },
  };
}
