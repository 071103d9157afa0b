import type { RunnerEvent } from "@anyrunner/core";

import { ENGINE_LABELS, isOwnedEngine, type Labels } from "./engine-labels.ts";
import { isSameImage } from "./image-reference.ts";
import type { EngineContainerPlan } from "./engine-container-plan.ts";

/** What a runtime says of a container that has the planned name. */
export interface ExistingContainer {
  readonly labels: Labels;
  /** The reference that it was made from, as the runtime shows it. */
  readonly image: string;
  /** Its variables, where they can be read: changed values are found, too. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export type PlanMatch =
  | { readonly kind: "same" }
  /** Runs another image: it can't stand for the planned engine. */
  | { readonly kind: "other-image"; readonly image: string }
  /** The right image with other options, one line for each: `cpus is 2, not 4`. Values of variables are not told. */
  | { readonly kind: "other-options"; readonly differences: readonly string[] };

/** Compares an existing container with the plan; of one that we did not make only the image is known. */
export function matchesPlan(existing: ExistingContainer, plan: EngineContainerPlan): PlanMatch {
  const { labels } = existing;
  const image = labels[ENGINE_LABELS.image] ?? existing.image;
  if (!isSameImage(image, plan.image)) return { kind: "other-image", image };
  if (!isOwnedEngine(labels)) return { kind: "same" };
  const differences = [...optionDifferences(readShape(labels), readShape(plan.labels)), ...valueDifferences(existing, plan)];
  return differences.length === 0 ? { kind: "same" } : { kind: "other-options", differences };
}

/** The warning for an engine that is used although it was made with other options. */
export function driftWarning(name: string, differences: readonly string[]): RunnerEvent {
  return {
    type: "warning",
    id: `engine-options-${name}`,
    message: `the engine "${name}" was made with other options, which stay as they are: ${differences.join("; ")}`,
    hint: `remove it and it is made anew, with its cache: anyrunner rm ${name}; or choose another name with container=`,
  };
}

function optionDifferences(is: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): readonly string[] {
  const names = [...new Set([...Object.keys(is), ...Object.keys(wanted)])].toSorted();
  return names
    .filter((name) => is[name] !== wanted[name])
    .map((name) => (name === "config" ? "engine.json has changed since" : `${name} is ${is[name] ?? "not set"}, not ${wanted[name] ?? "unset"}`));
}

/** Variables of the URL that are there, but with another value. */
function valueDifferences({ labels, env }: ExistingContainer, plan: EngineContainerPlan): readonly string[] {
  if (env === undefined) return [];
  const names = (readShape(labels)["env"] ?? "").split(",").filter((name) => name !== "");
  return names.filter((name) => name in plan.env && name in env && plan.env[name] !== env[name]).map((name) => `the value of ${name} differs`);
}

function readShape(labels: Labels): Readonly<Record<string, string>> {
  try {
    const value: unknown = JSON.parse(labels[ENGINE_LABELS.options] ?? "{}");
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, string>>) : {};
  } catch {
    return {};
  }
}
