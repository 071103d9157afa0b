import type { Span } from "@anyrunner/engine";

import { neutralize } from "./neutralize.ts";
import { outcomeOf, type Outcome } from "./span-outcome.ts";
import { createSpanRelations } from "./span-relations.ts";
import type { Visibility } from "./step-visibility.ts";
import type { ToldStep } from "./told-step.ts";

/** What is remembered of a span. */
export interface StoredStep {
  readonly id: string;
  readonly parentId: string | undefined;
  title: string;
  visibility: Visibility;
  outcome: Outcome | undefined;
  message: string;
  startMs: number;
  endMs: number | undefined;
  /** The steps that this one goes on with; it is shown in their place. */
  continues: readonly string[];
  /** Work of others that went on with this one, in ms; of those that are not over, when they began. */
  continuedMs: number;
  readonly continuedBy: Map<string, number>;
  /** What went on with it and stands for it: its steps are shown below this one. */
  readonly continuers: Set<string>;
  /** Why work that went on with it failed. */
  failedLater: string | undefined;
  /** Finished steps directly below that were forgotten. */
  folded: number;
}

export interface StepStore {
  add(step: ToldStep): void;
  get(id: string): StoredStep | undefined;
  /** The steps below one, in the order in which they came; of `undefined` those whose parent isn't known. */
  below(id: string | undefined): readonly StoredStep[];
  /** Finished steps at the top that were forgotten. */
  folded(): number;
  /** Steps that found no room, since everything in it is going on or has failed. */
  refused(): number;
}

export interface StepStoreOptions {
  /** Steps that are remembered. Default 4000. */
  readonly limit?: number | undefined;
  readonly onForget: (id: string) => void;
}

const LIMIT = 4000;
const LONGEST_TITLE = 400;
/** A share of what is remembered goes at once: looking for it costs a look at everything. */
const SHARE = 4;
const MOST_CONTINUERS = 50;

/** A bounded memory of steps: when it is full, those that have succeeded and have nothing below them are only counted, the oldest first, then those that failed. */
export function createStepStore({ limit = LIMIT, onForget }: StepStoreOptions): StepStore {
  const steps = new Map<string, StoredStep>();
  const children = new Map<string, Set<StoredStep>>();
  const relationsOf = createSpanRelations();
  let foldedAtTop = 0;
  let refused = 0;
  let tryAgainAt = 0;

  const forget = (step: StoredStep) => {
    steps.delete(step.id);
    onForget(step.id);
    const siblings = children.get(step.parentId ?? "");
    siblings?.delete(step);
    if (siblings?.size === 0) children.delete(step.parentId ?? "");
    if (step.visibility !== "shown") return;
    const parent = steps.get(step.parentId ?? "");
    if (parent === undefined) foldedAtTop++;
    else parent.folded++;
  };
  const makeRoom = () => {
    if (steps.size < limit) return true;
    if (refused < tryAgainAt) return false;
    const wanted = Math.ceil(limit / SHARE);
    const idle = [...steps.values()].filter((step) => step.endMs !== undefined && step.continuedBy.size === 0 && !children.has(step.id));
    const isFailed = (step: StoredStep) => step.outcome === "ERROR" || step.failedLater !== undefined;
    const order = [...idle.filter((step) => !isFailed(step)), ...idle.filter(isFailed)];
    for (const step of order.slice(0, wanted)) forget(step);
    tryAgainAt = refused + (order.length === 0 ? wanted : 0);
    return order.length > 0;
  };

  return {
    add({ span, visibility, title }) {
      const { continues, continuedBy } = relationsOf(span);
      let step = steps.get(span.spanId);
      const wasOver = step?.endMs !== undefined;
      // The official CLI as a child tells everything again, beginnings after ends among it.
      if (wasOver && span.endTimeUnixNano === undefined) return;
      if (step === undefined) {
        if (!makeRoom()) return void refused++;
        step = newStep(span);
        steps.set(step.id, step);
        const key = step.parentId ?? "";
        children.set(key, (children.get(key) ?? new Set()).add(step));
      }
      Object.assign(step, {
        title: neutralize(title.slice(0, LONGEST_TITLE)).replaceAll("\t", " "),
        visibility,
        message: neutralize(span.statusMessage.slice(0, LONGEST_TITLE).replaceAll("\n", " ")).replaceAll("\t", " "),
        startMs: milliseconds(span.startTimeUnixNano),
        endMs: span.endTimeUnixNano === undefined ? undefined : milliseconds(span.endTimeUnixNano),
        outcome: span.endTimeUnixNano === undefined ? undefined : outcomeOf(span),
        continues,
      });
      if (!wasOver) for (const id of continues) goOn(steps.get(id), step);
      for (const id of continuedBy) {
        const later = steps.get(id);
        if (later !== undefined) goOn(step, later);
      }
    },
    get: (id) => steps.get(id),
    below(id) {
      if (id !== undefined) return [...(children.get(id) ?? [])];
      return [...steps.values()].filter((step) => step.parentId === undefined || !steps.has(step.parentId));
    },
    folded: () => foldedAtTop,
    refused: () => refused,
  };
}

function newStep(span: Span): StoredStep {
  return {
    id: span.spanId,
    parentId: span.parentSpanId,
    title: "",
    visibility: "shown",
    outcome: undefined,
    message: "",
    startMs: 0,
    endMs: undefined,
    continues: [],
    continuedMs: 0,
    continuedBy: new Map(),
    continuers: new Set(),
    failedLater: undefined,
    folded: 0,
  };
}

/** `step` is the work that was put off by `earlier`. */
function goOn(earlier: StoredStep | undefined, step: StoredStep): void {
  if (earlier === undefined || earlier === step) return;
  if (step.visibility === "through" && earlier.continuers.size < MOST_CONTINUERS) earlier.continuers.add(step.id);
  if (step.endMs === undefined) {
    earlier.continuedBy.set(step.id, step.startMs);
    return;
  }
  earlier.continuedBy.delete(step.id);
  earlier.continuedMs += Math.max(0, step.endMs - step.startMs);
  if (step.outcome === "ERROR") earlier.failedLater ??= step.message;
}

function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n);
}
