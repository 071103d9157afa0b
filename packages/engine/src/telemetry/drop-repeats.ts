import { hash } from "node:crypto";

import { filterBatch, type TelemetryBatch } from "./batch.ts";

const MOST_KEYS = 50_000;

/**
 * Leaves out what has come before: a program that reads the engine's telemetry itself, as the official CLI does, sends all of it again
 * to the receiver that we give it. Remembers a bounded number of records, of each a digest: a line of output may be long.
 */
export function createRepeatFilter(): (batch: TelemetryBatch) => TelemetryBatch | undefined {
  let recent = new Set<string>();
  let older = new Set<string>();
  return (batch) =>
    filterBatch(batch, (item) => {
      const told = JSON.stringify([
        item["spanId"],
        item["startTimeUnixNano"] ?? item["timeUnixNano"] ?? item["observedTimeUnixNano"],
        item["endTimeUnixNano"] ?? item["body"],
        // A span that goes on may have learned something.
        batch.signal === "traces" ? item["attributes"] : 0,
        item["status"],
      ]);
      const key = hash("sha1", told, "base64");
      if (recent.has(key) || older.has(key)) return false;
      recent.add(key);
      if (recent.size >= MOST_KEYS) [older, recent] = [recent, new Set()];
      return true;
    });
}
