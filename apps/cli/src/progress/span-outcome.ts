import type { Span } from "@anyrunner/engine";

/** What the engine marks as its own affair; a failure is everybody's, but for spans that only stand for others. */
export function isHidden({ attributes, failed }: Span): boolean {
  if (attributes["dagger.io/ui.passthrough"] === true) return true;
  return !failed && (attributes["dagger.io/ui.internal"] === true || attributes["dagger.io/ui.encapsulated"] === true);
}

export function outcomeOf({ attributes, failed }: Span): "CACHED" | "CANCELED" | "DONE" | "ERROR" {
  if (failed) return attributes["dagger.io/dag.canceled"] === true ? "CANCELED" : "ERROR";
  return attributes["dagger.io/dag.cached"] === true ? "CACHED" : "DONE";
}
