import { normalizeEngineVersion, parseEngineVersion } from "@anyrunner/core";

import { asksForSpecialEngine, type EngineImage } from "./engine-image.ts";
import { ENGINE_LABELS, isOwnedEngine, type Labels } from "./engine-labels.ts";
import { OFFICIAL_NAME_PREFIX, officialContainerName } from "./engine-names.ts";
import { isSameImage, parseImageReference } from "./image-reference.ts";
import type { EngineContainerPlan } from "./engine-container-plan.ts";

/** One container as a runtime lists it. */
export interface ListedContainer {
  readonly name: string;
  /** The reference that it was made from. */
  readonly image: string;
  readonly labels: Labels;
  readonly running: boolean;
}

/**
 * The name of a container of the official client that may serve instead of one of our own, if it runs: nobody asked for
 * something that it can't be. It is used, never removed and never renamed.
 */
export function adoptableName(image: EngineImage, plan: EngineContainerPlan): string | undefined {
  return asksForSpecialEngine(image) || plan.gpus !== undefined ? undefined : officialContainerName(plan.image);
}

/** Whether that container, once found, is what the plan wants. */
export function mayAdopt(container: ListedContainer, plan: EngineContainerPlan): boolean {
  return container.running && container.name.startsWith(OFFICIAL_NAME_PREFIX) && isSameImage(container.image, plan.image);
}

/**
 * Whether other engines are removed once the one of this image is there: its URL asks for that with `cleanup`, and `DAGGER_LEAVE_OLD_ENGINE`
 * forbids it, which the official client reads as Go's ParseBool does.
 */
export function cleansUp({ cleanup }: Pick<EngineImage, "cleanup">, env: Readonly<Record<string, string | undefined>>): boolean {
  return cleanup && !/^(1|t|true)$/i.test(env["DAGGER_LEAVE_OLD_ENGINE"] ?? "");
}

/** Whether a container may be removed, and if not, why. */
export type Removal = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/** Whether a clean-up may remove a container. `live`: sessions use it; `undefined`, what can't be known, counts as live. */
export function mayRemove(container: ListedContainer, options: { readonly keep: string; readonly live: boolean | undefined }): Removal {
  const keep = (reason: string): Removal => ({ allowed: false, reason });
  if (!isOwnedEngine(container.labels)) return keep("anyrunner did not make it");
  if (container.name === options.keep) return keep("it is the one in use");
  if (container.running && options.live !== false) return keep(options.live ? "sessions use it" : "whether sessions use it can't be known");
  return { allowed: true };
}

/** Whether a container of ours runs an image of that repository, whatever its version: `keep` counts those. */
export function isOfRepository({ labels, image }: Pick<ListedContainer, "labels" | "image">, reference: string): boolean {
  const repositoryOf = (text: string) => {
    try {
      const { registry, repository } = parseImageReference(text);
      return `${registry}/${repository}`;
    } catch {
      return text;
    }
  };
  return isOwnedEngine(labels) && repositoryOf(labels[ENGINE_LABELS.image] ?? image) === repositoryOf(reference);
}

/** What lies beyond the `keep` that were used last, the longest unused first. */
export function enginesBeyond<T extends { readonly usedAt: number }>(engines: readonly T[], keep: number): readonly T[] {
  return engines
    .toSorted((one, other) => other.usedAt - one.usedAt)
    .slice(keep)
    .toReversed();
}

export interface SurplusOptions<T> {
  /** Of the engine that was just started: the one that was used last. */
  readonly own: string;
  readonly image: string;
  /** How many are kept. */
  readonly keep: number;
  /** In ms since 1970; `undefined`: never, as far as is known. */
  readonly lastUse: (engine: T) => number | undefined;
}

/** Our engines of an image's repository beyond the number that is kept, running or not, the longest unused first. */
export function surplusEngines<T extends Pick<ListedContainer, "name" | "labels" | "image">>(
  engines: readonly T[],
  { own, image, keep, lastUse }: SurplusOptions<T>,
): readonly T[] {
  const dated = engines
    .filter((engine) => isOfRepository(engine, image))
    .map((engine) => ({ engine, usedAt: engine.name === own ? Number.POSITIVE_INFINITY : (lastUse(engine) ?? 0) }));
  return enginesBeyond(dated, keep).map(({ engine }) => engine);
}

/** Version and kind of an engine, as far as name and image tell. */
export interface EngineTag {
  /** `vX.Y.Z` */
  readonly version: string;
  readonly gpu: boolean;
}

/** What a container says about its engine, if it is one of ours, one of the official client's, or of the official image. */
export function engineTagOf({ name, image, labels }: Pick<ListedContainer, "name" | "image" | "labels">): EngineTag | undefined {
  const reference = labels[ENGINE_LABELS.image] ?? image;
  const known = isOwnedEngine(labels) || name.startsWith(OFFICIAL_NAME_PREFIX) || /(^|\/)registry\.dagger\.io\/engine[:@]/.test(reference);
  if (!known) return undefined;
  return readTag(tagOf(reference)) ?? (name.startsWith(OFFICIAL_NAME_PREFIX) ? readTag(name.slice(OFFICIAL_NAME_PREFIX.length)) : undefined);
}

function tagOf(reference: string): string {
  try {
    return parseImageReference(reference).tag ?? "";
  } catch {
    return "";
  }
}

function readTag(tag: string): EngineTag | undefined {
  const gpu = tag.endsWith("-gpu");
  const version = gpu ? tag.slice(0, -"-gpu".length) : tag;
  return parseEngineVersion(version) === undefined ? undefined : { version: normalizeEngineVersion(version), gpu };
}
