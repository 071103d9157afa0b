import { openUserStore } from "@anyrunner/config";
import type { RunnerDriver, RunnerHandle } from "@anyrunner/core";
import { formatBytes } from "@anyrunner/engine-container";

import type { CommandContext } from "../command-context.ts";
import { diskItems, type DiskItem } from "../disk-usage.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner } from "../find-runner.ts";
import { formatTable } from "../format-table.ts";
import { interruptible } from "../interrupts.ts";
import { listRunners, openCliRegistry } from "../list-runners.ts";
import { factsOf } from "../runner-facts.ts";

interface Usage {
  readonly runner: string;
  readonly items: readonly DiskItem[];
  /** Sum of what is known. */
  readonly bytes: number;
  /** Why nothing is known. */
  readonly reason?: string | undefined;
}

/** Shows what runners take on the disk, by their drivers' word; engines are not asked. Without a runner: all that have a name or were made here. */
export function duCommand(context: CommandContext, word: string | undefined): Promise<number> {
  return interruptible(async (signal) => {
    const usages = word === undefined ? await usageOfAll(context, signal) : [await usageOfWord(context, word, signal)];
    if (context.json) {
      context.print(JSON.stringify({ runners: usages, bytes: usages.reduce((sum, { bytes }) => sum + bytes, 0) }, undefined, 2));
      return EXIT.success;
    }
    const rows = usages.flatMap(({ runner, items, reason }) =>
      items.length === 0
        ? [[runner, "unknown", reason ?? "the driver says nothing about its size"]]
        : items.map(({ kind, name, bytes }) => [runner, formatBytes(bytes), `${kind} ${name}`]),
    );
    if (rows.length > 0) for (const line of formatTable(["RUNNER", "SIZE", "WHAT"], rows)) context.print(line);
    else context.note("no runner has a name, and none was made");
    return EXIT.success;
  });
}

async function usageOfAll(context: CommandContext, signal: AbortSignal): Promise<readonly Usage[]> {
  const names = Object.keys((await openUserStore({ env: context.env }).read()).runners ?? {});
  const registry = await openCliRegistry(context);
  const seen = new Set<string>();
  const named: Usage[] = [];
  for (const name of names) {
    const runner = await findRunner(context, name, signal).catch(() => undefined);
    if (runner?.handle !== undefined) seen.add(`${runner.handle.driver} ${runner.handle.id}`);
    named.push(
      runner?.handle === undefined
        ? { runner: name, items: [], bytes: 0, reason: "it is not there" }
        : await usageOf(runner.driver, runner.handle, name, signal),
    );
  }
  const { handles, failures } = await listRunners(registry, signal);
  for (const { driver, error } of failures) context.note(`warning: ${driver} can't list its runners: ${error.message}`);
  const others = handles.filter(({ driver, id }) => !seen.has(`${driver} ${id}`));
  return [...named, ...(await Promise.all(others.map(async (handle) => usageOf(await registry.driver(handle.driver), handle, undefined, signal))))];
}

async function usageOfWord(context: CommandContext, word: string, signal: AbortSignal): Promise<Usage> {
  const { driver, handle, label } = await findRunner(context, word, signal);
  return handle === undefined ? { runner: label, items: [], bytes: 0, reason: "it was never started from here" } : usageOf(driver, handle, label, signal);
}

async function usageOf(driver: RunnerDriver, handle: RunnerHandle, label: string | undefined, signal: AbortSignal): Promise<Usage> {
  const facts = await factsOf(driver, handle, signal);
  const items = await diskItems(handle, facts, signal);
  const name = facts.details?.["name"];
  const bytes = items.reduce((sum, item) => sum + (item.bytes ?? 0), 0);
  return { runner: label ?? (typeof name === "string" ? name : handle.id), items, bytes, ...(facts.reason !== undefined && { reason: facts.reason }) };
}
