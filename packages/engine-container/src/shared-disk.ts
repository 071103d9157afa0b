import type { JsonObject } from "@anyrunner/core";

/** What an engine takes of its disk by default, and what it keeps free (engine protocol 8.3). */
const MAX_USED_PERCENT = 75;
const MIN_FREE_PERCENT = 20;
const RESERVED_BYTES = 10_000_000_000;

/**
 * The text of an engine.json with limits of garbage collection for one of `engines` engines on the same disk: together they claim what one
 * does by default. `text` is the file as the engine has it, if it has one; limits that were written so at an earlier start give way.
 * `undefined` when there is nothing to write: the file has limits of its own, is no JSON object, or the engine is alone.
 * The engine takes its defaults only where no limit is given, so all three are.
 */
export function shareDisk(text: string | undefined, engines: number): string | undefined {
  const config = parse(text ?? "{}");
  if (config === undefined || engines < 2) return undefined;
  const { gc, ...rest } = config;
  if (gc !== undefined && !isOurs(gc)) return undefined;
  const limits = {
    maxUsedSpace: `${Math.max(1, Math.floor(MAX_USED_PERCENT / engines))}%`,
    minFreeSpace: `${MIN_FREE_PERCENT}%`,
    reservedSpace: Math.floor(RESERVED_BYTES / engines),
  };
  return `${JSON.stringify({ ...rest, gc: limits })}\n`;
}

/** Limits that were written at an earlier start are of our three keys exactly. */
function isOurs(gc: unknown): boolean {
  return typeof gc === "object" && gc !== null && Object.keys(gc).toSorted().join() === "maxUsedSpace,minFreeSpace,reservedSpace";
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
