import { openUserStore } from "@anyrunner/config";
import { throwIfAborted, type RunnerDriver, type RunnerHandle } from "@anyrunner/core";
import { formatBytes } from "@anyrunner/engine-container";

import type { CommandContext } from "../command-context.ts";
import { diskItems, type DiskItem } from "../disk-usage.ts";
import { EMBEDDED, hasRunEmbedded } from "../embedded-runner.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner } from "../find-runner.ts";
import { formatTable } from "../format-table.ts";
import { interruptible } from "../interrupts.ts";
import { listRunners, openCliRegistry } from "../list-runners.ts";
import { factsOf } from "../runner-facts.ts";
import { unusedCaches } from "../unused-caches.ts";

interface Usage {
  readonly runner: string;
  readonly items: readonly DiskItem[];
  /** Sum of what is known. */
  readonly bytes: number;
  /** Of them, what `anyrunner prune` frees; the volumes of engines stay, whatever it removes. */
  readonly prunableBytes: number;
  /** Why nothing is known. */
  readonly reason?: string | undefined;
}

/** Shows what runners take on the disk, by their drivers' word; engines are not asked. Without a runner: all that have a name or were made here, and the caches of those that were removed. */
export function duCommand(context: CommandContext, word: string | undefined): Promise<number> {
  return interruptible(async (signal) => {
    const [usages, caches] =
      word === undefined
        ? await Promise.all([usageOfAll(context, signal), unusedCaches(context, signal)])
        : [[await usageOfWord(context, word, signal)], undefined];
    if (context.json) {
      const bytes = sumOf(usages, "bytes") + bytesOf(caches ?? []);
      context.print(JSON.stringify({ runners: usages, ...(caches && { caches }), bytes, prunableBytes: sumOf(usages, "prunableBytes") }, undefined, 2));
      return EXIT.success;
    }
    const runners = usages.flatMap(({ runner, items, reason }) =>
      items.length === 0
        ? [[runner, "unknown", reason ?? "the driver says nothing about its size"]]
        : items.map((item) => [runner, shownBytes(item.bytes), describe(item)]),
    );
    const orphans = (caches ?? []).map(({ name, bytes }) => [
      "-",
      shownBytes(bytes),
      `volume ${name}, whose engine was removed: anyrunner rm --volume ${name}`,
    ]);
    const rows = [...runners, ...orphans];
    if (rows.length > 0) for (const line of formatTable(["RUNNER", "SIZE", "WHAT"], rows, context.columns)) context.print(line);
    else context.note("no runner has a name, and none was made");
    return EXIT.success;
  });
}

async function usageOfAll(context: CommandContext, signal: AbortSignal): Promise<readonly Usage[]> {
  const names = Object.keys((await openUserStore({ env: context.env }).read()).runners ?? {});
  // It has no name of its own, and is listed by nobody, but leaves its folder when it has run.
  const others = (await hasRunEmbedded(context)) ? [EMBEDDED] : [];
  const registry = await openCliRegistry(context);
  const seen = new Set<string>();
  const named: Usage[] = [];
  for (const name of [...names, ...others]) {
    const runner = await findRunner(context, name, signal).catch(() => undefined);
    throwIfAborted(signal);
    // Under its own name already.
    if (name === EMBEDDED && runner?.handle !== undefined && seen.has(`${runner.handle.driver} ${runner.handle.id}`)) continue;
    if (runner?.handle !== undefined) seen.add(`${runner.handle.driver} ${runner.handle.id}`);
    named.push(
      runner?.handle === undefined
        ? { runner: name, items: [], bytes: 0, prunableBytes: 0, reason: "it is not there" }
        : await usageOf(runner.driver, runner.handle, name, signal),
    );
  }
  const { handles, failures } = await listRunners(registry, signal);
  for (const { driver, error } of failures) context.note(`warning: ${driver} can't list its runners: ${error.message}`);
  const unnamed = handles.filter(({ driver, id }) => !seen.has(`${driver} ${id}`));
  return [...named, ...(await Promise.all(unnamed.map(async (handle) => usageOf(await registry.driver(handle.driver), handle, undefined, signal))))];
}

async function usageOfWord(context: CommandContext, word: string, signal: AbortSignal): Promise<Usage> {
  const { driver, handle, label } = await findRunner(context, word, signal);
  return handle === undefined
    ? { runner: label, items: [], bytes: 0, prunableBytes: 0, reason: "it was never started from here" }
    : usageOf(driver, handle, label, signal);
}

async function usageOf(driver: RunnerDriver, handle: RunnerHandle, label: string | undefined, signal: AbortSignal): Promise<Usage> {
  const facts = await factsOf(driver, handle, signal);
  const items = await diskItems(handle, facts, signal);
  const name = facts.details?.["name"];
  const prunableBytes = bytesOf(items.filter(({ prunable }) => prunable));
  return {
    runner: label ?? (typeof name === "string" ? name : handle.id),
    items,
    bytes: bytesOf(items),
    prunableBytes,
    ...(items.length === 0 && facts.reason !== undefined && { reason: facts.reason }),
  };
}

function shownBytes(bytes: number | undefined): string {
  return bytes === undefined ? "unknown" : formatBytes(bytes);
}

function describe({ kind, name, count, prunable }: DiskItem): string {
  return `${kind} ${name}${count === undefined ? "" : `, ${count} of them`}${prunable ? ", which nothing needs: anyrunner prune" : ""}`;
}

function bytesOf(items: readonly Pick<DiskItem, "bytes">[]): number {
  return items.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
}

function sumOf(usages: readonly Usage[], key: "bytes" | "prunableBytes"): number {
  return usages.reduce((sum, usage) => sum + usage[key], 0);
}
