import { RunnerError, type JsonObject } from "@anyrunner/core";

/** Reads the text of an engine.json; `place` names it. Fails with INVALID_CONFIG. */
export function parseEngineJson(text: string, place: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RunnerError("INVALID_CONFIG", `${place} is no JSON: ${error instanceof Error ? error.message : ""}`, { hint: "correct the file", cause: error });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new RunnerError("INVALID_CONFIG", `${place} is no JSON object`, { hint: "begin it with { and end it with }" });
}
