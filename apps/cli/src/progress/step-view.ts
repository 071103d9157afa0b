import type { StepAmounts } from "./step-amounts.ts";
import type { LogTails } from "./log-tails.ts";
import type { StepStore, StoredStep } from "./step-store.ts";

export type StepState = "running" | "done" | "cached" | "canceled" | "failed";

/** A step as it is shown. Its texts steer no terminal. */
export interface StepView {
  readonly title: string;
  readonly state: StepState;
  /** Whether it, or anything below it, runs or has failed. */
  readonly active: boolean;
  /** How long it has worked so far. */
  readonly ms: number;
  /** How much of it is done; empty where nothing is known. */
  readonly amount: string;
  /** Why it failed; empty where nothing is known. */
  readonly message: string;
  /** The end of what it has written, the oldest line first. */
  readonly tail: readonly string[];
  readonly children: readonly StepView[];
  /** Finished steps below it of which nothing else is known any more. */
  readonly folded: number;
}

export interface ForestView {
  readonly roots: readonly StepView[];
  /** The end of what belongs to no step that is shown. */
  readonly tail: readonly string[];
  readonly folded: number;
  /** Steps about which nothing is known. */
  readonly refused: number;
}

export interface ViewOptions {
  readonly store: StepStore;
  readonly tails: LogTails;
  readonly amounts: StepAmounts;
  /** Milliseconds of the Unix epoch. */
  readonly nowMs: number;
}

const DEEPEST = 100;

/** What is remembered, as a forest: spans that only stand for others are left out, and what is below them takes their place. */
export function viewSteps({ store, tails, amounts, nowMs }: ViewOptions): ForestView {
  const seen = new Set<string>();
  const loose: string[] = [];
  // The spans for which the step that is being looked at stands.
  let covered: string[] = [];

  const place = (step: StoredStep, depth: number, isBelowHidden = false): readonly StepView[] => {
    if (seen.has(step.id) || depth > DEEPEST) return [];
    seen.add(step.id);
    // What came before the span that hides it doesn't know yet.
    const isHidden = step.visibility === "hidden" || (isBelowHidden && step.outcome !== "ERROR");
    if (step.visibility === "shown" && !isHidden) return [show(step, depth)];
    // It is shown below the step with which it goes on.
    if (step.visibility === "through" && step.continues.some((id) => store.get(id)?.continuers.has(step.id) && store.get(id)?.visibility === "shown")) {
      seen.delete(step.id);
      return [];
    }
    covered.push(step.id);
    if (step.visibility === "through" && !isHidden) loose.push(...tails.read(step.id));
    return store.below(step.id).flatMap((child) => place(child, depth + 1, isHidden));
  };
  const show = (step: StoredStep, depth: number): StepView => {
    const below = [step.id, ...step.continuers].flatMap((id) => {
      if (id !== step.id && seen.has(id)) return [];
      seen.add(id);
      return store.below(id);
    });
    const state = stateOf(step);
    const isTold = state === "running" || state === "failed";
    const outer = covered;
    const own = (covered = [step.id, ...step.continuers]);
    const children = below.flatMap((child) => place(child, depth + 1));
    covered = outer;
    return {
      title: step.title,
      state,
      active: isTold || children.some((child) => child.active),
      ms: timeOf(step, nowMs),
      amount: state === "running" ? amounts.read(own) : "",
      message: step.failedLater || step.message,
      tail: isTold ? tails.read(step.id) : [],
      children,
      folded: step.folded,
    };
  };

  const roots = store.below(undefined).flatMap((step) => place(step, 0));
  return { roots, tail: loose.slice(-10), folded: store.folded(), refused: store.refused() };
}

function stateOf({ endMs, outcome, continuedBy, failedLater }: StoredStep): StepState {
  if (endMs === undefined || continuedBy.size > 0) return "running";
  if (failedLater !== undefined) return "failed";
  return ({ DONE: "done", CACHED: "cached", CANCELED: "canceled", ERROR: "failed" } as const)[outcome ?? "DONE"];
}

function timeOf({ startMs, endMs, continuedMs, continuedBy }: StoredStep, nowMs: number): number {
  const going = [...continuedBy.values()].reduce((total, began) => total + Math.max(0, nowMs - began), 0);
  return Math.max(0, (endMs ?? nowMs) - startMs) + continuedMs + going;
}
