import { openEngineUses } from "@anyrunner/config";
import type { Runner, RunnerEvent } from "@anyrunner/core";

import type { CommandContext } from "./command-context.ts";

export interface EngineStartWatch {
  /** The same, to open the runner with. */
  readonly context: CommandContext;
  /**
   * Removes the runner's engine, and keeps its cache, if it was anyrunner that made it, in this context, and no other session of this user
   * is on it. Fails as the driver does.
   */
  remove(runner: Runner): Promise<void>;
}

/** How long the engine may take to end its sessions and write its cache down, in ms. */
const GRACE_MS = 600_000;

/** Sees whether an engine is started by what runs in the context, so that whoever has started it can remove it. */
export function watchEngineStart(context: CommandContext): EngineStartWatch {
  let started = false;
  const report = (event: RunnerEvent) => {
    // The drivers that start engines report it under this id.
    started ||= event.type === "progress" && event.id === "engine-start" && event.done === true;
    context.report(event);
  };
  return {
    context: { ...context, report },
    async remove({ driver, handle, url }) {
      if (!started || !handle.owned || driver.destroy === undefined) return;
      const others = (await openEngineUses({ env: context.env }).list()).find((use) => use.handle.driver === handle.driver && use.handle.id === handle.id);
      if (others !== undefined && others.sessions > 0) {
        context.note(`kept the engine of ${url}: others use it`);
        return;
      }
      const { rmCommand } = await import("./commands/rm.ts");
      await rmCommand({ ...context, json: false }, { runner: handle.id, volume: false, force: false, dryRun: false, graceMs: GRACE_MS });
    },
  };
}
