import type { Span } from "@anyrunner/engine";

export interface SpanRelations {
  /** Spans with which this one goes on. */
  readonly continues: readonly string[];
  /** Spans that were told before and go on with this one. */
  readonly continuedBy: readonly string[];
}

const MOST_EFFECTS = 5000;
const MOST_OF_ONE = 100;

/**
 * Engines from 0.21 on say by links which span goes on with which. Older ones name the work that a call put off, and the work says which it
 * is, sooner or later than the call; the call that names it first owns it. To be asked for every span, in the order in which they come.
 */
export function createSpanRelations(): (span: Span) => SpanRelations {
  const owners = new Map<string, string>();
  const workers = new Map<string, string>();
  const learn = (map: Map<string, string>, effect: string, spanId: string) => {
    if (map.size < MOST_EFFECTS && !map.has(effect)) map.set(effect, spanId);
  };
  return ({ spanId, attributes, continues }) => {
    const named = attributes["dagger.io/effect.ids"];
    const effects = (Array.isArray(named) ? named.slice(0, MOST_OF_ONE) : []).filter((id) => typeof id === "string");
    const isNew = effects.filter((id) => !owners.has(id));
    for (const id of isNew) learn(owners, id, spanId);
    const effect = attributes["dagger.io/effect.id"];
    if (typeof effect === "string") learn(workers, effect, spanId);
    const owner = typeof effect === "string" ? owners.get(effect) : undefined;
    return {
      continues: owner === undefined ? continues : [...continues, owner],
      continuedBy: isNew.map((id) => workers.get(id)).filter((id) => id !== undefined),
    };
  };
}
