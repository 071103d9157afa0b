import type { JsonValue } from "@anyrunner/core";

import type { RunnerFacts } from "./runner-facts.ts";

/** One thing of a runner that takes space. */
export interface DiskItem {
  readonly kind: string;
  readonly name: string;
  /** Absent when the runtime doesn't say. */
  readonly bytes?: number | undefined;
}

/**
 * What a driver's `inspect` says about space: `details.disk`, a list of `{ kind, name, bytes }`. The engine is never asked: counting
 * its cache entries has killed one.
 */
export function diskItems({ details }: RunnerFacts): readonly DiskItem[] {
  const disk = details?.["disk"];
  return Array.isArray(disk) ? disk.flatMap((item: JsonValue) => readItem(item) ?? []) : [];
}

/** `1.5 GiB`; `unknown` for what isn't known. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return "unknown";
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power] ?? ""}`;
}

/** `volume anyrunner-engine-v0.21.8 (1.5 GiB)` */
export function describeDiskItem({ kind, name, bytes }: DiskItem): string {
  return `${kind} ${name} (${bytes === undefined ? "size unknown" : formatBytes(bytes)})`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

function readItem(item: JsonValue): DiskItem | undefined {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return undefined;
  const { kind, name, bytes } = item as Readonly<Record<string, JsonValue | undefined>>;
  if (typeof kind !== "string" || typeof name !== "string") return undefined;
  return { kind, name, ...(typeof bytes === "number" && bytes >= 0 && { bytes }) };
}
