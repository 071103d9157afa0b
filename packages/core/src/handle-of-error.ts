import type { RunnerHandle } from "./driver.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { RunnerError } from "./runner-error.ts";

/** The runner that an error is about, where its driver says which: one that is there but does not run, and can be inspected, started and stopped. */
export function handleOfError(error: unknown): RunnerHandle | undefined {
  const handle = RunnerError.is(error) ? error.details?.["handle"] : undefined;
  return isHandle(handle) ? handle : undefined;
}

/** What is in the details of an error may have come from another program. */
function isHandle(value: JsonValue | undefined): value is RunnerHandle {
  if (!isObject(value)) return false;
  const { driver, id, endpoint, owned, labels } = value;
  return typeof driver === "string" && typeof id === "string" && typeof owned === "boolean" && isObject(endpoint) && isObject(labels);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
