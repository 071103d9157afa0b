import { openEngineUses, openHandleStore, openUserStore } from "@anyrunner/config";
import { throwIfAborted, type RunnerHandle } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { describeDiskItem, diskItems } from "../disk-usage.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, type FoundRunner } from "../find-runner.ts";
import { interruptible } from "../interrupts.ts";
import { requireAbility, requireOwned } from "../require-ability.ts";
import { factsOf, type RunnerFacts } from "../runner-facts.ts";

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
 * stays in any case. What goes, and its size, is shown before. Fails with NOT_FOUND, UNSUPPORTED, or as the driver does.
 */
export function rmCommand(context: CommandContext, options: RmCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const known = (await openUserStore({ env: context.env }).read()).runners ?? {};
    const name = Object.hasOwn(known, options.runner) ? options.runner : undefined;
    const runner = await find(context, options, name, signal);
    const removal = runner?.handle === undefined ? { name, removed: [], kept: [] } : await removeEngine(context, { ...runner, name }, options, signal);
    if (name !== undefined && !options.dryRun) await forgetName(context, name);
    report(context, { ...removal, name }, options);
    return EXIT.success;
  });
}

/** A name can be forgotten even when what it stands for can't be reached. */
async function find(context: CommandContext, { runner }: RmCommandOptions, name: string | undefined, signal: AbortSignal): Promise<FoundRunner | undefined> {
  try {
    return await findRunner(context, runner, signal);
  } catch (error) {
    throwIfAborted(signal);
    if (name === undefined) throw error;
    return undefined;
  }
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
  const why = options.volume ? "anyrunner did not make it" : "it holds the cache; remove it with --volume";
  const kept = volumes.filter((volume) => !taken.includes(volume)).map((volume) => `${describeDiskItem(volume)}: ${why}`);
  for (const line of removed) context.note(`${options.dryRun ? "would remove" : "removing"} ${line}`);
  if (options.dryRun) return { removed, kept };
  if (facts.status === "running") await driver.stop?.(handle, { graceMs: options.force ? 0 : options.graceMs, signal, report: context.report });
  await driver.destroy(handle, { volume: options.volume, signal, report: context.report });
  await Promise.all([openHandleStore({ env: context.env }).forget(handle), openEngineUses({ env: context.env }).forget(handle)]);
  return { removed, kept };
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
