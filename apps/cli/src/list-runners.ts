import { loadProjectConfig } from "@anyrunner/config";
import { orAborted, RunnerError, throwIfAborted, type DriverEntry, type Registry, type RunnerHandle } from "@anyrunner/core";
import { createDefaultRegistry, isPlanned } from "@anyrunner/drivers";

import type { CommandContext } from "./command-context.ts";

export interface ListedRunners {
  readonly handles: readonly RunnerHandle[];
  /** Drivers that could not list theirs, although what they need is there. */
  readonly failures: readonly { readonly driver: string; readonly error: RunnerError }[];
}

/** How long a driver may take to list what it has, in ms: one that hangs must not hide the others. */
const LIST_BUDGET_MS = 10_000;

/** By these codes a driver says that its runtime is not on this machine, or doesn't run: it has no runners then. */
const NOT_HERE: ReadonlySet<string> = new Set(["NOT_AVAILABLE", "NOT_FOUND", "CONNECTION_REFUSED", "DRIVER_NOT_INSTALLED", "UNSUPPORTED"]);

/** Everything that the drivers of this project made and still own, by driver. Fails with ABORTED only. */
export async function listRunners(registry: Registry, signal: AbortSignal): Promise<ListedRunners> {
  const budget = AbortSignal.any([signal, AbortSignal.timeout(LIST_BUDGET_MS)]);
  const lists = await Promise.all(registry.entries.filter(isLoadable).map((entry) => listOf(registry, entry, budget)));
  throwIfAborted(signal);
  return { handles: lists.flatMap(({ handles }) => handles), failures: lists.flatMap(({ failures }) => failures) };
}

/** The registry of the project around the working directory. */
export async function openCliRegistry({ cwd, env, report }: CommandContext): Promise<Registry> {
  return createDefaultRegistry({ cwd, env, config: await loadProjectConfig({ cwd }), report });
}

export function isLoadable(entry: DriverEntry): boolean {
  return !isPlanned(entry);
}

async function listOf(registry: Registry, entry: DriverEntry, signal: AbortSignal): Promise<ListedRunners> {
  // A driver that can't be loaded has made nothing; `anyrunner drivers` says why it can't.
  const driver = await registry.load(entry).catch(() => undefined);
  if (driver === undefined) return { handles: [], failures: [] };
  try {
    return { handles: (driver.list && (await orAborted(driver.list({ signal }), signal))) ?? [], failures: [] };
  } catch (error) {
    const failure = RunnerError.from(error, "INTERNAL", { signal });
    return { handles: [], failures: NOT_HERE.has(failure.code) ? [] : [{ driver: entry.name, error: failure }] };
  }
}
