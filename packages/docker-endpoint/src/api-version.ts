import { RunnerError } from "@anyrunner/core";

/** The Docker API versions that this package speaks. */
export const OLDEST_API_VERSION = "1.24";
export const NEWEST_API_VERSION = "1.51";

export interface DaemonVersions {
  /** The newest that the daemon speaks. */
  readonly newest: string;
  /** The oldest that it still takes, where it says so. */
  readonly oldest?: string | undefined;
}

/**
 * The version to speak with a daemon: ours or the daemon's newest, whichever is older; a daemon whose minimum is above ours
 * gets its minimum, since the few requests made here have been the same in all versions. Fails with VERSION_MISMATCH.
 */
export function chooseApiVersion(daemon: DaemonVersions): string {
  if (compareApiVersions(daemon.newest, OLDEST_API_VERSION) < 0) {
    throw new RunnerError("VERSION_MISMATCH", `the Docker daemon speaks API ${daemon.newest}; the oldest that works is ${OLDEST_API_VERSION}`, {
      hint: "update Docker to 1.12 or newer",
      details: { newest: daemon.newest },
    });
  }
  if (compareApiVersions(daemon.newest, NEWEST_API_VERSION) <= 0) return daemon.newest;
  if (daemon.oldest !== undefined && compareApiVersions(daemon.oldest, NEWEST_API_VERSION) > 0) return daemon.oldest;
  return NEWEST_API_VERSION;
}

/** Negative, zero or positive. Fails with WRONG_SERVER for what is no version. */
export function compareApiVersions(left: string, right: string): number {
  const [leftMajor, leftMinor] = parse(left);
  const [rightMajor, rightMinor] = parse(right);
  return leftMajor - rightMajor || leftMinor - rightMinor;
}

function parse(text: string): readonly [number, number] {
  const match = /^(\d+)\.(\d+)$/.exec(text);
  if (match === null)
    throw new RunnerError("WRONG_SERVER", `what answers says API version "${text.slice(0, 40)}", which is none of Docker's`, { hint: "check the Docker host" });
  return [Number(match[1]), Number(match[2])];
}
