import { openEngineUses, openHandleStore, openUserStore } from "@anyrunner/config";
import { parseRunnerUrl, RunnerError, throwIfAborted, type Registry, type RunnerDriver, type RunnerHandle } from "@anyrunner/core";
import type { PrunedEmbedded } from "@anyrunner/driver-embedded";
import { ENGINE_LABELS, enginesBeyond, formatBytes, isOfRepository } from "@anyrunner/engine-container";

import type { CommandContext } from "../command-context.ts";
import { describeDiskItem, diskItems, type DiskItem } from "../disk-usage.ts";
import { EMBEDDED, hasRunEmbedded } from "../embedded-runner.ts";
import { EXIT } from "../exit-codes.ts";
import { formatWithDrivers } from "../find-runner.ts";
import { interruptible } from "../interrupts.ts";
import { listRunners, openCliRegistry } from "../list-runners.ts";
import { factsOf, type RunnerFacts } from "../runner-facts.ts";

interface Candidate {
  readonly driver: RunnerDriver;
  readonly handle: RunnerHandle;
  readonly facts: RunnerFacts;
  readonly name: string;
  /** Why it stays; absent for what is removed. */
  readonly kept?: string | undefined;
}

/**
 * Removes the engines that anyrunner made and that don't run, and images of the embedded runner that nothing needs. Cache volumes stay,
 * so that engines can be made again without loss; what has a name stays, too, and what can't be known counts as in use.
 */
export function pruneCommand(context: CommandContext, { dryRun, keep }: PruneCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const spared = keep === undefined ? 0 : parseKeep(keep);
    const registry = await openCliRegistry(context);
    const { handles, failures } = await listRunners(registry, signal);
    const named = await namedIds(context, registry);
    const judged = await Promise.all(handles.map((handle) => judge(registry, handle, named, signal)));
    const candidates = await spareLatest(context, judged, spared);
    const removable = candidates.filter(({ kept }) => kept === undefined);
    for (const { driver, handle, facts, name } of removable) {
      context.note(`${dryRun ? "would remove" : "removing"} engine ${name}; ${keptVolumes(await diskItems(handle, facts, signal))}`);
      if (dryRun) continue;
      await driver.destroy?.(handle, { volume: false, signal, report: context.report });
      await Promise.all([openHandleStore({ env: context.env }).forget(handle), openEngineUses({ env: context.env }).forget(handle)]);
    }
    const embedded = await pruneEmbedded(context, dryRun, signal);
    for (const { driver, error } of failures) context.note(`warning: ${driver} can't list its runners: ${error.message}`);
    const kept = candidates.flatMap(({ name, kept: why }) => (why === undefined ? [] : [{ name, why }]));
    if (context.json) {
      const removed = removable.map(({ name, handle }) => ({ name, id: handle.id }));
      context.print(JSON.stringify({ dryRun, removed, kept, ...(embedded !== undefined && { embedded }) }, undefined, 2));
      return EXIT.success;
    }
    for (const { name, why } of kept) context.note(`kept ${name}: ${why}`);
    if (removable.length === 0 && !embedded?.images) context.note("nothing to remove");
    return EXIT.success;
  });
}

export interface PruneCommandOptions {
  readonly dryRun: boolean;
  /** How many engines of each repository are spared, the last used ones. */
  readonly keep?: string | undefined;
}

/** Images of the embedded runner that nothing needs; `undefined` where it never ran, or its container engine isn't there. */
async function pruneEmbedded(context: CommandContext, dryRun: boolean, signal: AbortSignal): Promise<PrunedEmbedded | undefined> {
  if (!(await hasRunEmbedded(context))) return undefined;
  const [embedded, { resolveDockerEndpoint }] = await Promise.all([import("@anyrunner/driver-embedded"), import("@anyrunner/docker-endpoint")]);
  try {
    const pruned = await embedded.pruneEmbedded({ docker: await resolveDockerEndpoint({ env: context.env }), signal }, { dryRun });
    if (pruned.images > 0)
      context.note(`${dryRun ? "would remove" : "removed"} ${pruned.images} images of ${EMBEDDED} that nothing needs (${formatBytes(pruned.bytes)})`);
    return pruned;
  } catch (error) {
    throwIfAborted(signal);
    if (!RunnerError.is(error)) throw error;
    return undefined;
  }
}

function parseKeep(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new RunnerError("USAGE", `--keep is no number: "${text}"`, { hint: "write for example --keep 2" });
}

/** The engines of each repository that were used last stay; one that runs counts, too. */
async function spareLatest({ env }: CommandContext, candidates: readonly Candidate[], keep: number): Promise<readonly Candidate[]> {
  if (keep === 0) return candidates;
  const uses = await openEngineUses({ env }).list();
  const dated = candidates.map((candidate) => {
    const { driver, id } = candidate.handle;
    const used = uses.find(({ handle }) => handle.driver === driver && handle.id === id)?.usedAt;
    return { candidate, usedAt: used ?? (Date.parse(candidate.facts.startedAt ?? "") || 0) };
  });
  const isBeyond = ({ candidate }: (typeof dated)[number]) => {
    const image = candidate.handle.labels[ENGINE_LABELS.image] ?? "";
    const same = dated.filter(
      (other) => other.candidate.handle.driver === candidate.handle.driver && isOfRepository({ labels: other.candidate.handle.labels, image: "" }, image),
    );
    return enginesBeyond(same, keep).some((other) => other.candidate === candidate);
  };
  return dated.map((each) =>
    each.candidate.kept !== undefined || isBeyond(each) ? each.candidate : { ...each.candidate, kept: `it is one of the ${keep} used last` },
  );
}

async function judge(registry: Registry, handle: RunnerHandle, named: ReadonlySet<string>, signal: AbortSignal): Promise<Candidate> {
  const driver = await registry.driver(handle.driver);
  const facts = await factsOf(driver, handle, signal);
  const shown = facts.details?.["name"];
  const candidate = { driver, handle, facts, name: typeof shown === "string" ? shown : handle.id };
  if (!handle.owned) return { ...candidate, kept: "anyrunner did not make it" };
  if (driver.destroy === undefined) return { ...candidate, kept: `the driver "${driver.name}" can't remove` };
  if (named.has(`${handle.driver} ${handle.id}`)) return { ...candidate, kept: "it has a name: anyrunner rm NAME" };
  if (facts.status !== "stopped" && facts.status !== "missing") return { ...candidate, kept: `it is ${facts.status}` };
  return candidate;
}

/** The runners whose URLs have names, as far as they were ever reached. */
async function namedIds({ env }: CommandContext, registry: Registry): Promise<ReadonlySet<string>> {
  const runners = Object.values((await openUserStore({ env }).read()).runners ?? {});
  const urls = await Promise.all(runners.map(({ url }) => formatWithDrivers(registry, parseRunnerUrl(url)).catch(() => url)));
  const stored = await openHandleStore({ env }).read();
  return new Set(stored.filter(({ url }) => urls.includes(url)).map(({ handle }) => `${handle.driver} ${handle.id}`));
}

function keptVolumes(disk: readonly DiskItem[]): string {
  const volumes = disk.filter(({ kind }) => kind === "volume");
  return volumes.length === 0 ? "its cache stays" : `kept: ${volumes.map(describeDiskItem).join(", ")}`;
}
