import type { EngineUse, EngineUses } from "@anyrunner/config";
import { RunnerError, type RunnerDriver, type RunnerHandle } from "@anyrunner/core";
import { ENGINE_LABELS, enginesBeyond, idleMsOf, isOfRepository, keepOf } from "@anyrunner/engine-container";

import type { ReaperLock } from "./reaper-lock.ts";

export interface ReaperOptions {
  readonly uses: Pick<EngineUses, "list" | "touch" | "forget">;
  readonly lock: ReaperLock;
  readonly driver: (name: string) => Promise<RunnerDriver>;
  readonly log: (line: string) => void;
  readonly clock: ReaperClock;
  readonly signal: AbortSignal;
}

/** Time, as tests replace it. */
export interface ReaperClock {
  /** Ms since 1970: it goes on while the machine sleeps. */
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const LOOK_MS = 60_000;
/** So much later than planned, and the machine has slept: sessions get the time to say that they live. */
const SLEPT_MS = 3 * LOOK_MS;
const STOP_BUDGET_MS = 600_000;
/** An engine that can't be looked at so often is given up. */
const PATIENCE = 30;

/**
 * Stops engines that nobody has used for as long as their URL said (`idle=`), and removes those beyond the number that is kept
 * (`keep=`); volumes stay. Ends when no engine that runs asks for either. What anyrunner did not make, what is in use, and what
 * can't be known is left alone: the driver counts the sessions itself, those of other users and machines among them.
 */
export async function runReaper(options: ReaperOptions): Promise<void> {
  const { uses, lock, clock, log, signal } = options;
  const failures = new Map<string, number>();
  let lookedAt = clock.now();
  while (!signal.aborted && (await lock.renew())) {
    const now = clock.now();
    if (now - lookedAt > SLEPT_MS) log("the machine has slept; sessions get a minute to renew their leases");
    else if (!(await lookAtEngines(options, await uses.list(), { now, failures }))) return log("nothing is left to watch");
    lookedAt = clock.now();
    await clock.sleep(LOOK_MS, signal).catch(() => {});
  }
}

interface Look {
  readonly now: number;
  readonly failures: Map<string, number>;
}

/** Whether something is left to watch. */
async function lookAtEngines(options: ReaperOptions, all: readonly EngineUse[], look: Look): Promise<boolean> {
  const owned = all.filter(({ handle }) => handle.owned);
  const surplus = new Set(findSurplus(owned));
  let isWatching = false;
  for (const use of owned) {
    const idleMs = idleMsOf(use.handle.labels);
    if (idleMs === undefined && !surplus.has(use)) continue;
    try {
      isWatching = (await lookAtEngine(options, use, { isSurplus: surplus.has(use), idleMs, now: look.now })) || isWatching;
      look.failures.delete(keyOf(use.handle));
    } catch (error) {
      const times = (look.failures.get(keyOf(use.handle)) ?? 0) + 1;
      look.failures.set(keyOf(use.handle), times);
      if (times === 1) options.log(`${nameOf(use.handle)}: ${error instanceof Error ? error.message : String(error)}`);
      isWatching ||= times < PATIENCE;
    }
  }
  return isWatching;
}

async function lookAtEngine(
  { driver: loadDriver, uses, log, signal }: ReaperOptions,
  { handle, usedAt, sessions }: EngineUse,
  { isSurplus, idleMs, now }: { readonly isSurplus: boolean; readonly idleMs: number | undefined; readonly now: number },
): Promise<boolean> {
  const driver = await loadDriver(handle.driver);
  const { status } = (await driver.inspect?.(handle, { signal })) ?? { status: "unknown" as const };
  if (status === "missing") {
    await uses.forget(handle);
    return false;
  }
  const isStopped = status === "stopped";
  const isIdle = sessions === 0 && (isSurplus || now - usedAt >= (idleMs ?? Number.POSITIVE_INFINITY));
  if (isStopped && !isSurplus) return false;
  if (!isIdle || driver.stop === undefined) return true;
  try {
    await driver.stop(handle, { drainMs: 0, graceMs: STOP_BUDGET_MS, signal });
    if (!isStopped) log(`stopped ${nameOf(handle)}, which nobody uses; its cache stays`);
  } catch (error) {
    if (!RunnerError.is(error) || error.code !== "TIMEOUT") throw error;
    // Somebody else's sessions: their time is its last use.
    await uses.touch(handle);
    return true;
  }
  if (isSurplus && driver.destroy !== undefined) {
    await driver.destroy(handle, { volume: false, signal });
    await uses.forget(handle);
    log(`removed ${nameOf(handle)}, one more than are kept; its cache stays`);
  }
  return false;
}

/** The engine of a repository that was used last says how many are kept. */
function findSurplus(owned: readonly EngineUse[]): readonly EngineUse[] {
  const surplus = new Set<EngineUse>();
  for (const latest of owned) {
    const keep = keepOf(latest.handle.labels);
    const image = latest.handle.labels[ENGINE_LABELS.image];
    if (keep === undefined || image === undefined) continue;
    const same = owned.filter(({ handle }) => handle.driver === latest.handle.driver && isOfRepository({ labels: handle.labels, image: "" }, image));
    if (same.every(({ usedAt }) => usedAt <= latest.usedAt)) for (const use of enginesBeyond(same, keep)) surplus.add(use);
  }
  return [...surplus];
}

function keyOf({ driver, id }: RunnerHandle): string {
  return `${driver} ${id}`;
}

function nameOf({ driver, id, endpoint }: RunnerHandle): string {
  return `the ${driver} engine "${typeof endpoint["name"] === "string" ? endpoint["name"] : id}"`;
}
