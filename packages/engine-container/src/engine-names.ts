import { parseImageReference } from "./image-reference.ts";

/** What the containers of the official client are called; its clean-up removes everything of that prefix. */
export const OFFICIAL_NAME_PREFIX = "dagger-engine-";
const NAME_PREFIX = "anyrunner-engine-";
const DIGEST_DIGITS = 16;
const GPU_SUFFIX = "-gpu";

/** What sets engines of an image apart: the beginning of the digest, else the tag, else `latest` (engine protocol 1.5). */
export function engineId(reference: string, options: { readonly gpu?: boolean } = {}): string {
  const { tag, digest } = parseImageReference(reference);
  const id = digest === undefined ? (tag ?? "latest") : digest.slice(digest.indexOf(":") + 1).slice(0, DIGEST_DIGITS);
  return options.gpu && !id.endsWith(GPU_SUFFIX) ? id + GPU_SUFFIX : id;
}

/** Default name of the container, and of its volume. */
export function engineContainerName(reference: string, options: { readonly gpu?: boolean } = {}): string {
  return NAME_PREFIX + engineId(reference, options);
}

/** What the official client calls its container for the same image. */
export function officialContainerName(reference: string): string {
  return OFFICIAL_NAME_PREFIX + engineId(reference);
}

/** moby's rule, for containers and volumes. */
export function isValidContainerName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) && name.length <= 255;
}
