/** All labels under this prefix are ours; a user can't set them. */
export const LABEL_PREFIX = "dev.anyrunner.";

/** The labels of what we make. A runtime whose labels are short (Kubernetes) keeps all but `role` and `config` as annotations. */
export const ENGINE_LABELS = {
  /** `engine` on containers, `engine-cache` on volumes: the mark of ownership. */
  role: `${LABEL_PREFIX}role`,
  /** The image's reference as it was asked for. */
  image: `${LABEL_PREFIX}image`,
  /** Name of the cache volume. */
  volume: `${LABEL_PREFIX}volume`,
  /** JSON of the options that shaped it, without values of variables. */
  options: `${LABEL_PREFIX}options`,
  /** After how many ms without a session it is to be stopped; absent: never. */
  idle: `${LABEL_PREFIX}idle`,
  /** How many engines of its repository are kept; absent: all. */
  keep: `${LABEL_PREFIX}keep`,
  /** Digest of the options. */
  config: `${LABEL_PREFIX}config`,
} as const;

export const ENGINE_ROLE = "engine";
export const CACHE_ROLE = "engine-cache";

export type Labels = Readonly<Record<string, string>>;

/** Whether we made the container that has these labels. */
export function isOwnedEngine(labels: Labels | null | undefined): boolean {
  return labels?.[ENGINE_LABELS.role] === ENGINE_ROLE;
}

/** After how long without a session the engine that has these labels is to be stopped, in ms; `undefined`: never. */
export function idleMsOf(labels: Labels): number | undefined {
  return positive(labels[ENGINE_LABELS.idle]);
}

/** How many engines of its repository the engine that has these labels asks to keep; `undefined`: all. */
export function keepOf(labels: Labels): number | undefined {
  return positive(labels[ENGINE_LABELS.keep]);
}

function positive(text: string | undefined): number | undefined {
  const value = Number(text ?? Number.NaN);
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** Whether we made the volume that has these labels. */
export function isOwnedCache(labels: Labels | null | undefined): boolean {
  return labels?.[ENGINE_LABELS.role] === CACHE_ROLE;
}

/** Our own labels among others: what a handle carries. */
export function ownLabels(labels: Labels | null | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => name.startsWith(LABEL_PREFIX)));
}
