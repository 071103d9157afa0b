/** What a runtime says of one container, as far as it is used here. */
export interface ContainerDetails {
  /** The full id; Apple's containers have their name only. */
  readonly id: string;
  readonly name: string;
  /** The reference that it was made from, as the runtime shows it. */
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The runtime's own word for the state, lower case. */
  readonly state: string;
  /** Absent where the runtime doesn't say it. */
  readonly exitCode?: number | undefined;
  readonly oomKilled?: boolean | undefined;
  readonly restarts?: number | undefined;
  /** ISO 8601. */
  readonly startedAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  readonly error?: string | undefined;
  /** Arguments of its entrypoint. */
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Where something is mounted in it. */
  readonly mountPoints?: readonly string[] | undefined;
}

const NEVER_STARTED = /^(created|configured|initialized)$/;
const ENDED = /^(exited|stopped|dead)$/;

/** Whether it runs or is about to: connecting is then worth an attempt. */
export function isAlive({ state }: ContainerDetails): boolean {
  return state === "running" || state === "restarting";
}

export function wasNeverStarted({ state }: ContainerDetails): boolean {
  return NEVER_STARTED.test(state);
}

export function hasEnded({ state }: ContainerDetails): boolean {
  return ENDED.test(state);
}

/** The rest of a sentence that begins with the container's name. */
export function describeState(container: ContainerDetails): string {
  const { state, exitCode, oomKilled, restarts = 0, finishedAt } = container;
  const error = container.error ? `: ${container.error}` : "";
  if (state === "running") return restarts > 0 ? `is running, restarted ${restarts} times` : "is running";
  if (wasNeverStarted(container)) return `was never started${error}`;
  if (!hasEnded(container)) return `is ${state}${error}`;
  const code = exitCode === undefined ? "" : `: it ended with exit code ${exitCode}`;
  return `is not running${code}${oomKilled ? " (killed for lack of memory)" : ""}${finishedAt === undefined ? "" : ` at ${finishedAt}`}${error}`;
}
