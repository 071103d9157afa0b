import { watchCacheFate, type CacheFate } from "../cache-fate.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, requireHandle } from "../find-runner.ts";
import { interruptible } from "../interrupts.ts";
import { requireAbility, requireOwned } from "../require-ability.ts";
import { factsOf } from "../runner-facts.ts";

export interface StopCommandOptions {
  readonly runner: string;
  /** Kill it at once; its cache is then lost. */
  readonly force: boolean;
  /** How long the engine may take to end its sessions and shut down, in ms. */
  readonly graceMs: number;
}

/** Stops an engine that anyrunner made, after its sessions; says whether its cache survived. Fails with NOT_FOUND, UNSUPPORTED, or as the driver does. */
export function stopCommand(context: CommandContext, { runner: word, force, graceMs }: StopCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const runner = await findRunner(context, word, signal);
    const driver = requireAbility(runner, "lifecycle", "stop");
    const handle = requireHandle(runner);
    requireOwned(runner, "stopped");
    const before = await factsOf(driver, handle, signal);
    const watch = watchCacheFate(context.report);
    await driver.stop(handle, { graceMs: force ? 0 : graceMs, signal, report: watch.report });
    const { status, exitCode } = await factsOf(driver, handle, signal);
    const cache = before.status !== "running" ? undefined : force ? "discarded" : watch.fate();
    if (context.json)
      context.print(JSON.stringify({ runner: runner.label, id: handle.id, status, ...(exitCode !== undefined && { exitCode }), cache: cache ?? "unknown" }));
    else context.note(`${runner.label} is ${status}${cache === undefined ? ", as it was" : ` · ${FATES[cache]}`}`);
    return EXIT.success;
  });
}

const FATES: Readonly<Record<CacheFate, string>> = {
  kept: "its cache is complete on the disk",
  unknown: "whether its cache survived will be known at its next start",
  discarded: "it was killed, so its next start discards the cache",
};
