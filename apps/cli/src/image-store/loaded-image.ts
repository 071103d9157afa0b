/**
 * The image that a container engine says to have loaded: an id, or the name that the archive gave. Docker, Podman, nerdctl and finch
 * write `Loaded image: NAME` (or `Loaded image ID: …`, `Loaded image(s): A,B`), Apple's container the digest.
 */
export function loadedImage(answer: string): string | undefined {
  return /Loaded image(?:\(s\))?(?: ID)?: *([^\s,]+)/.exec(answer)?.[1] ?? /\bsha256:[0-9a-f]{64}\b/.exec(answer)?.[0];
}
