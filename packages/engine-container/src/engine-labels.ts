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

/** Whether we made the volume that has these labels. */
export function isOwnedCache(labels: Labels | null | undefined): boolean {
  return labels?.[ENGINE_LABELS.role] === CACHE_ROLE;
}

/** Our own labels among others: what a handle carries. */
export function ownLabels(labels: Labels | null | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => name.startsWith(LABEL_PREFIX)));
}
