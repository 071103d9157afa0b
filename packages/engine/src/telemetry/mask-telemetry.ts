import type { TelemetryBatch } from "./batch.ts";

/** Hides values that are known to be secret in telemetry, whoever sent it. */
export interface TelemetryMask {
  /** From now on the value is hidden, as a whole and each longer line of it. Ones of less than four characters are left: they stand in too much. */
  add(value: string): void;
  /** The same batch where nothing is to be hidden. */
  mask(batch: TelemetryBatch): TelemetryBatch;
}

const SHORTEST = 4;
const SHORTEST_LINE = 8;
/** Of the longest secrets; more than this is no session's. */
const MOST_VALUES = 2000;
const HIDDEN = "***";
/** Values in it are behind base64; one that holds a secret is taken away whole. */
const CALL_KEY = "dagger.io/dag.call";
/** The fields of OTLP that hold text of somebody's; ids, times and numbers are text as well and have to stay what they are. */
const TEXT_NAMES = new Set(["stringValue", "name", "message", "description", "severityText", "eventName"]);

/** A mask that hides nothing yet. It keeps the values in memory, at most 2000 of them. */
export function createTelemetryMask(): TelemetryMask {
  const values = new Set<string>();
  let pattern: RegExp | undefined;
  const learn = (value: string, shortest: number) => {
    if (value.length >= shortest && values.size < MOST_VALUES) values.add(value);
  };
  return {
    add(value) {
      const before = values.size;
      learn(value.trim(), SHORTEST);
      for (const line of value.split("\n")) learn(line.trim(), SHORTEST_LINE);
      if (values.size > before) pattern = patternOf(values);
    },
    mask(batch) {
      if (pattern === undefined) return batch;
      const request = maskValue(batch.request, pattern);
      return request === batch.request ? batch : { ...batch, request };
    },
  };
}

/** The longest first, so that no end of one is left behind another that it begins with. */
function patternOf(values: ReadonlySet<string>): RegExp {
  const escaped = [...values].sort((one, other) => other.length - one.length).map((value) => value.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(escaped.join("|"), "g");
}

/** The same object where nothing in it changes. */
function maskValue(value: unknown, pattern: RegExp): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => maskValue(item, pattern));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if ("key" in value && value.key === CALL_KEY && holdsSecret("value" in value ? value.value : undefined, pattern))
    return { key: CALL_KEY, value: { stringValue: "" } };
  let changed: Record<string, unknown> | undefined;
  for (const [name, item] of Object.entries(value)) {
    const masked = typeof item === "string" && TEXT_NAMES.has(name) ? item.replaceAll(pattern, HIDDEN) : maskValue(item, pattern);
    if (masked !== item) (changed ??= { ...value })[name] = masked;
  }
  return changed ?? value;
}

function holdsSecret(value: unknown, pattern: RegExp): boolean {
  if (typeof value !== "object" || value === null || !("stringValue" in value) || typeof value.stringValue !== "string") return false;
  return Buffer.from(value.stringValue, "base64").toString("utf8").search(pattern) >= 0;
}
