import type { ErrorCode } from "@anyrunner/core/driver";

/** A way for a CLI to fail that its standard error tells. */
export interface KnownFailure {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  /** One sentence, without a full stop. */
  readonly message: string;
  readonly hint: string;
}

/** What standard error says when the container that was asked for does not exist: podman, nerdctl and finch, Apple. */
export const NO_CONTAINER = /no such (container|object)|no container with name or id|container not found|container \S+ not found|get failed: container/i;

/** The same for an image; Apple has no words of its own. */
export const NO_IMAGE = /no such (image|object)|image not known|image not found|image with reference/i;

/** The same for a volume. */
export const NO_VOLUME = /no such (volume|object)|volume \S+ not found|volume not found/i;

/** A container or volume of that name exists: podman and finch, nerdctl, Apple and volumes. */
export const NAME_TAKEN = /is already in use|is already used|already exists/i;

/** The program that was to be run is not in the container: runc and crun under podman, nerdctl and finch, Apple. */
export const NO_PROGRAM = /executable file .*not found|command that was not found|failed to find target executable|no such file or directory/i;

/** The container does not run: podman, nerdctl and finch, Apple. */
export const CONTAINER_STOPPED =
  /container state improper|is not running|no running task found|cannot exec in a (stopped|paused)|task \S+ not found|is paused/i;
