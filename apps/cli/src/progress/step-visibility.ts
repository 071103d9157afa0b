import type { Span } from "@anyrunner/engine";

/** `through`: not shown itself, but what is below it. `hidden`: neither, unless it fails. */
export type Visibility = "shown" | "through" | "hidden";

const MOST_IDS = 20_000;

/**
 * What the engine marks as its own affair is hidden with everything below it; a failure is everybody's, but for spans that only stand for
 * others. Asked for every span, in the order in which they come; remembers a bounded number of those that hide what is below them.
 */
export function createVisibility(): (span: Span) => Visibility {
  let recent = new Set<string>();
  let older = new Set<string>();
  const hideBelow = (id: string) => {
    recent.add(id);
    if (recent.size >= MOST_IDS) [older, recent] = [recent, new Set()];
  };
  const isBelowHidden = ({ parentSpanId = "" }: Span) => recent.has(parentSpanId) || older.has(parentSpanId);
  return (span) => {
    const { attributes, failed, spanId } = span;
    const isHidden = attributes["dagger.io/ui.internal"] === true || attributes["dagger.io/ui.encapsulated"] === true || isBoring(span) || isBelowHidden(span);
    if (isHidden || attributes["dagger.io/ui.encapsulate"] === true) hideBelow(spanId);
    if (attributes["dagger.io/ui.passthrough"] === true) return isHidden ? "hidden" : "through";
    return isHidden && !failed ? "hidden" : "shown";
  };
}

/** Every client asks for ids all the time, and engines before 0.21 look into their cache before every step. */
function isBoring({ name, attributes }: Span): boolean {
  if (attributes["buildkit"] === true) return /^(?:cache request|load cache): /.test(name);
  return name.endsWith(".id") && attributes["dagger.io/dag.call"] !== undefined;
}
