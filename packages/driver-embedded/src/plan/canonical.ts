import type { JsonValue } from "@anyrunner/core/driver";

import { sha256 } from "../tree/node.ts";

/** Raised whenever the meaning of a key changes: what was cached under the old meaning is not found any more. */
const VERSION = 1;

/** JSON with sorted keys and without undefined members: equal values give equal text. */
export function canonicalJson(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item as JsonValue)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}

/** The key under which the result of `operation` is cached. */
export function operationKey(operation: JsonValue): string {
  return sha256(canonicalJson({ version: VERSION, operation }));
}
