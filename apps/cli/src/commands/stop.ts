import type { CommandContext } from "../command-context.ts";
import { lastLogLines } from "../engine-log.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, requireHandle } from "../find-runner.ts";
import { interruptible } from "../interrupts.ts";
import { requireAbility, requireOwned } from "../require-ability.ts";
import { factsOf } from "../runner-facts.ts";
import type { RunnerDriver, RunnerHandle } from "@anyrunner/core";

export interface StopCommandOptions {
  readonly runner: string;
  /** Kill it at once; its cache is then lost. */
  readonly force: boolean;
  /** How long the engine may take to end its sessions and shut down, in ms. */
  readonly graceMs: number;
}

/** What is known about the cache after a stop: only the engine's next start tells for sure. */
export type CacheFate = "kept" | "unknown" | "discarded";

/** What an engine writes when its cache is whole on the disk. */
const CLEAN_SHUTDOWN = "marking dagql cache clean shutdown";

/** Stops an engine that anyrunner made, after its sessions; says whether its cache survived. Fails with NOT_FOUND, UNSUPPORTED, or as the driver does. */
export function stopCommand(context: CommandContext, { runner: word, force, graceMs }: StopCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const runner = await findRunner(context, word, signal);
    const driver = requireAbility(runner, "lifecycle", "stop");
    const handle = requireHandle(runner);
    requireOwned(runner, "stopped");
    const before = await factsOf(driver, handle, signal);
    if (before.status === "running" && !force)
      context.note(`${runner.label} is asked to end; it may take up to ${Math.round(graceMs / 1000)} s for its sessions and its cache`);
    await driver.stop(handle, { graceMs: force ? 0 : graceMs, signal, report: context.report });
    const cache = before.status === "running" ? await cacheFate(driver, handle, { force, signal }) : "unknown";
    const { status, exitCode } = await factsOf(driver, handle, signal);
    if (context.json) context.print(JSON.stringify({ runner: runner.label, id: handle.id, status, ...(exitCode !== undefined && { exitCode }), cache }));
    else context.note(`${runner.label} is ${status}${before.status === "running" ? ` · ${FATES[cache]}` : ", as it was"}`);
    return EXIT.success;
  });
}

export async function cacheFate(
  driver: RunnerDriver,
  handle: RunnerHandle,
  { force, signal }: { readonly force: boolean; readonly signal: AbortSignal },
): Promise<CacheFate> {
  if (force) return "discarded";
  const log = await lastLogLines(driver, handle, { tail: 100, signal }).catch(() => []);
  return log.some((line) => line.includes(CLEAN_SHUTDOWN)) ? "kept" : "unknown";
}

const FATES: Readonly<Record<CacheFate, string>> = {
  kept: "its cache is complete on the disk",
  unknown: "whether its cache survived will be known at its next start",
  discarded: "it was killed, so its next start discards the cache",
};
