import type { CallOptions } from "@anyrunner/core";
import { ENGINE_LABELS, ENGINE_ROLE, mayRemove } from "@anyrunner/engine-container";

import { listContainers } from "./container.ts";
import type { ContainerCli } from "./container-cli.ts";
import { isAlive } from "./container-details.ts";

/** Removes our own other engines that don't run; whether one that runs is in use can't be known, so it stays. Volumes stay, too. */
export async function cleanUp(cli: ContainerCli, options: CallOptions & { readonly keep: string }): Promise<void> {
  const { keep, report, ...call } = options;
  for (const container of await listContainers(cli, { name: ENGINE_LABELS.role, value: ENGINE_ROLE }, call)) {
    const removal = mayRemove({ ...container, running: isAlive(container) || container.state === "paused" }, { keep, live: undefined });
    if (!removal.allowed) continue;
    const result = await cli.attempt(cli.runtime.grammar.remove(container.id), { ...call, doing: `remove the container "${container.name}"` });
    if (result.exitCode === 0)
      report?.({ type: "progress", id: `engine-removed-${container.name}`, message: `removed the engine "${container.name}"; its cache stays`, done: true });
  }
}
