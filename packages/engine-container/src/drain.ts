import { pause, RunnerError, STOP_GRACE_MS, type CallOptions, type StopOptions } from "@anyrunner/core";

/** What a driver does for a drain. */
export interface DrainedEngine {
  /** Its driver's name, and the engine's name for messages. */
  readonly driver: string;
  readonly name: string;
  /** How many sessions use it: `undefined` can't be known and counts as live, `gone` no longer runs. */
  countSessions(options: CallOptions): Promise<number | undefined | "gone">;
  /** Keeps new sessions away, in every process and on every machine; gives what lets them in again. */
  mark(options: CallOptions): Promise<() => Promise<void>>;
}

export interface DrainOptions extends Pick<StopOptions, "signal" | "report" | "drainMs"> {
  /** What happens once nobody uses it: it is stopped. */
  readonly thenStop: () => Promise<void>;
  readonly clock?: DrainClock | undefined;
}

/** Time, as tests replace it. */
export interface DrainClock {
  now(): number;
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

const LOOK_MS = 1000;
/** Whoever saw no mark has connected by then. */
const SETTLE_MS = 300;
const SIGN_OF_LIFE_MS = 30_000;

/**
 * Lets no new session in, waits until those that are there have ended, then stops the engine; new ones are let in again afterwards,
 * however it went. With a `drainMs` of 0 an engine that is in use is not even marked.
 * Fails with TIMEOUT when sessions are still there, and then the engine goes on running.
 */
export async function drainEngine(engine: DrainedEngine, options: DrainOptions): Promise<void> {
  const { drainMs = STOP_GRACE_MS, clock = systemClock } = options;
  const call = { signal: options.signal };
  if (drainMs === 0) {
    const live = await engine.countSessions(call);
    if (live === "gone") return;
    if (live !== 0) throw stillInUse(engine, live, 0);
  }
  const lift = await engine.mark(call);
  try {
    await clock.sleep(Math.min(SETTLE_MS, Math.max(drainMs, 1)), options.signal);
    await waitForSessions(engine, { ...options, drainMs, clock });
    await options.thenStop();
  } finally {
    // A mark that stays can be lifted by hand; what the stop itself came to matters more.
    await lift().catch(() => undefined);
  }
}

/** The refusal of a new session on an engine that is marked. */
export function engineDraining({ driver, name }: Pick<DrainedEngine, "driver" | "name">): RunnerError {
  return new RunnerError("NOT_RUNNING", `the engine "${name}" is being stopped, and takes no new session`, {
    hint: `wait until it has stopped, then try again; or let it go on: anyrunner start ${name}`,
    driver,
    details: { container: name, state: "draining" },
  });
}

async function waitForSessions(engine: DrainedEngine, options: DrainOptions & { readonly drainMs: number; readonly clock: DrainClock }): Promise<void> {
  const { clock, drainMs, report, signal } = options;
  const { name } = engine;
  const startedAt = clock.now();
  const told: { who?: string; at: number } = { at: startedAt };
  for (;;) {
    const live = await engine.countSessions({ signal });
    if (live === "gone") return;
    if (live === 0) {
      if (told.who !== undefined) report?.({ type: "progress", id: "engine-drain", message: `waiting for the sessions of the engine "${name}"`, done: true });
      return;
    }
    const now = clock.now();
    if (told.who !== describe(live) || now - told.at >= SIGN_OF_LIFE_MS) {
      const since = told.who === undefined || now - startedAt < LOOK_MS ? "" : ` (${Math.round((now - startedAt) / 1000)} s)`;
      report?.({ type: "progress", id: "engine-drain", message: `waiting for ${describe(live)} on the engine "${name}"${since}` });
      Object.assign(told, { who: describe(live), at: now });
    }
    if (now - startedAt >= drainMs) throw stillInUse(engine, live, drainMs);
    await clock.sleep(LOOK_MS, signal);
  }
}

function describe(live: number | undefined): string {
  if (live === undefined) return "sessions that can't be counted";
  return `${live} ${live === 1 ? "session" : "sessions"}`;
}

function stillInUse({ driver, name }: DrainedEngine, live: number | undefined, drainMs: number): RunnerError {
  const after = drainMs === 0 ? "" : ` after ${Math.round(drainMs / 1000)} s`;
  return new RunnerError("TIMEOUT", `the engine "${name}" is still in use by ${describe(live)}${after}, and goes on running`, {
    hint: "wait longer (--timeout), or stop it by force (--force), which ends them and discards the cache",
    driver,
    details: { container: name, ...(live !== undefined && { sessions: live }) },
  });
}

const systemClock: DrainClock = {
  now: () => performance.now(),
  sleep: pause,
};
