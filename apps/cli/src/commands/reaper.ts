import { setTimeout as delay } from "node:timers/promises";

import { openEngineUses } from "@anyrunner/config";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { interruptible } from "../interrupts.ts";
import { openCliRegistry } from "../list-runners.ts";
import { takeReaperLock } from "../reaper/reaper-lock.ts";
import { runReaper } from "../reaper/run-reaper.ts";

/** What the other commands start in the background: stops idle engines until none is left to watch. Ends at once where another one runs. */
export function reaperCommand(context: CommandContext): Promise<number> {
  return interruptible(async (signal) => {
    const { env } = context;
    const lock = await takeReaperLock({ env });
    if (lock === undefined) return EXIT.success;
    try {
      const registry = await openCliRegistry(context);
      await runReaper({
        uses: openEngineUses({ env }),
        lock,
        driver: (name) => registry.driver(name),
        log: (line) => context.note(`${new Date().toISOString()} ${process.pid} ${line}`),
        clock: { now: Date.now, sleep: (ms, abort) => delay(ms, undefined, { signal: abort }) },
        signal,
      });
    } finally {
      await lock.release();
    }
    return EXIT.success;
  });
}
