import type { Span } from "@anyrunner/engine";

export type Outcome = "CACHED" | "CANCELED" | "DONE" | "ERROR";

export function outcomeOf({ attributes, failed }: Span): Outcome {
  if (attributes["dagger.io/dag.canceled"] === true) return "CANCELED";
  if (failed) return "ERROR";
  return attributes["dagger.io/dag.cached"] === true ? "CACHED" : "DONE";
}
