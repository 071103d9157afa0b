import { openEngineUses, openHandleStore, openUserStore } from "@anyrunner/config";
import { inTime, RunnerError, throwIfAborted, type RunnerHandle } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { describeDiskItem, diskItems, type DiskItem } from "../disk-usage.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, type FoundRunner } from "../find-runner.ts";
import { interruptible } from "../interrupts.ts";
import { requireAbility, requireOwned } from "../require-ability.ts";
import { factsOf, type RunnerFacts } from "../runner-facts.ts";
import { removeUnusedCache, unusedCaches, type UnusedCache } from "../unused-caches.ts";

export interface RmCommandOptions {
  readonly runner: string;
  /** Remove the cache volume, too. */
  readonly volume: boolean;
  /** Don't wait for sessions. */
  readonly force: boolean;
  /** Only show what would be removed. */
  readonly dryRun: boolean;
  readonly graceMs: number;
}

interface Removal {
  /** The name that is forgotten. */
  readonly name?: string | undefined;
  /** What is removed, with sizes. */
  readonly removed: readonly string[];
  /** What stays, and why. */
  readonly kept: readonly string[];
}

/**
 * Removes an engine that anyrunner made, and the name of a runner. The cache stays without `--volume`; what anyrunner did not make
 * stays in any case. What goes, and its size, is shown before. A name is forgotten even when its runner can't be looked at or removed, and
 * what could not be done is said. Fails with NOT_FOUND, UNSUPPORTED, or as the driver does.
 */
export function rmCommand(context: CommandContext, options: RmCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const known = (await openUserStore({ env: context.env }).read()).runners ?? {};
    const name = Object.hasOwn(known, options.runner) ? options.runner : undefined;
    if (name === undefined) {
      const found = await findRunnerOrCache(context, options, signal);
      report(context, "driver" in found ? await remove(context, found, options, signal) : await removeCache(context, found.cache, options, signal), options);
      return EXIT.success;
    }
    const { removal, failure } = await removeNamed(context, name, options, signal);
    if (!options.dryRun) await forgetName(context, name);
    report(context, { ...removal, name }, options);
    if (failure !== undefined) throw failure;
    return EXIT.success;
  });
}

/** With `--volume` a cache whose engine was removed before is found by its own name. Fails with NOT_FOUND. */
async function findRunnerOrCache(
  context: CommandContext,
  { runner: word, volume }: RmCommandOptions,
  signal: AbortSignal,
): Promise<FoundRunner | { readonly cache: UnusedCache }> {
  try {
    return await findRunner(context, word, signal);
  } catch (error) {
    if (!volume || !RunnerError.is(error) || error.code !== "NOT_FOUND") throw error;
    const caches = (await unusedCaches(context, signal)).filter(({ name }) => name === word);
    const [cache, another] = caches;
    if (cache === undefined) throw error;
    if (another === undefined) return { cache };
    throw new RunnerError("USAGE", `"${word}" means ${caches.length} volumes`, {
      hint: `remove the one that you mean: ${caches.map(({ driver }) => `${driver} volume rm ${word}`).join(", or ")}`,
    });
  }
}

async function removeCache(context: CommandContext, cache: UnusedCache, { dryRun }: RmCommandOptions, signal: AbortSignal): Promise<Removal> {
  const shown = describeDiskItem({ kind: "volume", ...cache });
  context.note(`${dryRun ? "would remove" : "removing"} ${shown}`);
  if (!dryRun) await removeUnusedCache(cache, context, signal);
  return { removed: [shown], kept: [] };
}

interface NamedRemoval {
  readonly removal: Removal;
  /** Why the engine could not be removed; its name is forgotten nevertheless. */
  readonly failure?: RunnerError;
}

/** How long a runner that has a name may take to be found, in ms. */
const FIND_BUDGET_MS = 10_000;

/** Fails with ABORTED only. */
async function removeNamed(context: CommandContext, name: string, options: RmCommandOptions, signal: AbortSignal): Promise<NamedRemoval> {
  const late = () => new RunnerError("TIMEOUT", `its driver did not answer within ${FIND_BUDGET_MS / 1000} s`);
  let runner: FoundRunner | undefined;
  try {
    runner = await inTime({ budgetMs: FIND_BUDGET_MS, signal, late }, (budget) => findRunner(context, name, budget));
    return { removal: await remove(context, { ...runner, name }, options, signal) };
  } catch (error) {
    throwIfAborted(signal);
    if (runner !== undefined)
      return {
        removal: { removed: [], kept: [`the engine of ${runner.shownUrl ?? name}, which could not be removed`] },
        failure: RunnerError.from(error, "INTERNAL"),
      };
    // What isn't there can't have been kept.
    if (RunnerError.is(error) && error.code === "NOT_FOUND") return { removal: { removed: [], kept: [] } };
    return { removal: { removed: [], kept: [`what the runner ${name} may have made: ${error instanceof Error ? error.message : String(error)}`] } };
  }
}

async function remove(context: CommandContext, runner: FoundRunner, options: RmCommandOptions, signal: AbortSignal): Promise<Removal> {
  return runner.handle === undefined ? { removed: [], kept: [] } : removeEngine(context, runner, options, signal);
}

async function removeEngine(context: CommandContext, runner: FoundRunner, options: RmCommandOptions, signal: AbortSignal): Promise<Removal> {
  const handle = runner.handle as RunnerHandle;
  if (runner.name !== undefined && (!handle.owned || runner.driver.destroy === undefined)) {
    return { removed: [], kept: [`${runner.shownUrl ?? handle.id}: anyrunner did not make it`] };
  }
  requireOwned(runner, "removed");
  const driver = requireAbility(runner, "lifecycle", "destroy");
  const facts = await factsOf(driver, handle, signal);
  const volumes = (await diskItems(handle, facts, signal)).filter(({ kind }) => kind === "volume");
  const taken = volumes.filter(({ owned }) => options.volume && owned !== false);
  const removed = [`engine ${engineName(facts, handle)} (${facts.status})`, ...taken.map(describeDiskItem)];
  const why = ({ name }: DiskItem) =>
    options.volume ? "anyrunner did not make it" : `it holds the cache; remove it with ${isFound(handle) ? `anyrunner rm --volume ${name}` : "--volume"}`;
  const kept = volumes.filter((volume) => !taken.includes(volume)).map((volume) => `${describeDiskItem(volume)}: ${why(volume)}`);
  for (const line of removed) context.note(`${options.dryRun ? "would remove" : "removing"} ${line}`);
  if (options.dryRun) return { removed, kept };
  if (facts.status === "running") await driver.stop?.(handle, { graceMs: options.force ? 0 : options.graceMs, signal, report: context.report });
  await driver.destroy(handle, { volume: options.volume, signal, report: context.report });
  await Promise.all([openHandleStore({ env: context.env }).forget(handle), openEngineUses({ env: context.env }).forget(handle)]);
  return { removed, kept };
}

/** Whether its volume is found by name when the engine is gone. */
function isFound({ driver }: RunnerHandle): boolean {
  return driver === "docker" || driver === "podman";
}

function engineName({ details }: RunnerFacts, { id }: RunnerHandle): string {
  const name = details?.["name"];
  return typeof name === "string" ? name : id;
}

async function forgetName(context: CommandContext, name: string): Promise<void> {
  await openUserStore({ env: context.env }).update(({ runners = {}, runner, ...settings }) => {
    const { [name]: _, ...others } = runners;
    return { ...settings, ...(Object.keys(others).length > 0 && { runners: others }), ...(runner !== undefined && runner !== name && { runner }) };
  });
}

function report(context: CommandContext, { name, removed, kept }: Removal, { dryRun }: RmCommandOptions): void {
  if (context.json) context.print(JSON.stringify({ dryRun, name: name ?? null, removed, kept }));
  for (const line of kept) context.note(`kept ${line}`);
  if (name !== undefined) context.note(`the name ${name} ${dryRun ? "would be" : "is"} forgotten`);
}
