import type { JsonObject, JsonValue } from "@anyrunner/core";

/**
 * Puts one's own engine.json over the image's: objects are merged, one's own values win, and a list of mirrors is put before the image's, so
 * that those stay. `null` removes what the image has.
 */
export function mergeEngineJson(base: JsonObject, own: JsonObject): JsonObject {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(own)) {
    if (value === undefined) continue;
    if (value === null) merged.delete(key);
    else merged.set(key, mergeValue(key, merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

function mergeValue(key: string, base: JsonValue | undefined, own: JsonValue): JsonValue {
  if (isObject(own)) return mergeEngineJson(isObject(base) ? base : {}, own);
  if (key === "mirrors" && Array.isArray(own) && Array.isArray(base)) return [...own, ...base.filter((mirror: JsonValue) => !own.includes(mirror))];
  return own;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
