import type { CallOptions } from "@anyrunner/core/driver";
import { ENGINE_LABELS, ENGINE_ROLE, mayRemove, surplusEngines } from "@anyrunner/engine-container";

import { listContainers } from "./container.ts";
import type { ContainerCli } from "./container-cli.ts";
import { isAlive, type ContainerDetails } from "./container-details.ts";
import { createHandle } from "./handle.ts";

export interface CleanUpOptions extends CallOptions {
  /** The engine that is in use. */
  readonly own: string;
}

export interface KeepOptions extends CleanUpOptions {
  readonly image: string;
  /** How many. */
  readonly keep: number;
}

/** Removes our own other engines that don't run; whether one that runs is in use can't be known, so it stays. Volumes stay, too. */
export async function cleanUp(cli: ContainerCli, options: CleanUpOptions): Promise<void> {
  for (const container of await listEngines(cli, options)) await removeStopped(cli, container, options);
}

/** The same for what lies beyond the engines of an image's repository that were used last. */
export async function keepLatest(cli: ContainerCli, { own, image, keep, ...call }: KeepOptions): Promise<void> {
  const engines = await listEngines(cli, call);
  if (engines.length <= keep) return;
  const { openEngineUses } = await import("@anyrunner/config");
  const uses = await openEngineUses({ env: cli.env }).lastUses(cli.runtime.name);
  const surplus = surplusEngines(engines, { own, image, keep, lastUse: (container) => uses.get(createHandle(cli, container).id) });
  for (const container of surplus) await removeStopped(cli, container, { own, ...call });
}

function listEngines(cli: ContainerCli, { signal }: CallOptions): Promise<readonly ContainerDetails[]> {
  return listContainers(cli, { name: ENGINE_LABELS.role, value: ENGINE_ROLE }, { signal });
}

async function removeStopped(cli: ContainerCli, container: ContainerDetails, { own, signal, report }: CleanUpOptions): Promise<void> {
  const removal = mayRemove({ ...container, running: isAlive(container) || container.state === "paused" }, { keep: own, live: undefined });
  if (!removal.allowed) return;
  const result = await cli.attempt(cli.runtime.grammar.remove(container.id), { signal, doing: `remove the container "${container.name}"` });
  if (result.exitCode === 0)
    report?.({ type: "progress", id: `engine-removed-${container.name}`, message: `removed the engine "${container.name}"; its cache stays`, done: true });
}
