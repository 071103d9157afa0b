import { openHandleStore } from "@anyrunner/config";
import { openRunner, RunnerError, type CallOptions, type Runner, type RunnerDriver, type RunnerHandle } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { lastLogLines } from "../engine-log.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, type FoundRunner } from "../find-runner.ts";
import { interruptible } from "../interrupts.ts";
import { openCliRegistry } from "../list-runners.ts";
import { requireAbility } from "../require-ability.ts";
import { factsOf } from "../runner-facts.ts";

const READY_BUDGET_MS = 60_000;
/** What an engine writes when it throws its cache away at its start, since it was not shut down properly. */
const CACHE_RESET = /local cache state invalid; resetting.*?(?:reason="?(?<reason>[^"\n]*))?/;

/** Starts a runner that is stopped, or makes the engine that its URL asks for, and waits until it answers. Fails as the driver does, or with TIMEOUT. */
export function startCommand(context: CommandContext, word: string): Promise<number> {
  return interruptible(async (signal) => {
    const found = await findRunner(context, word, signal);
    const started = found.handle === undefined ? await make(context, found, signal) : await startAgain(context, found, found.handle, signal);
    await openHandleStore({ env: context.env })
      .remember({ url: found.shownUrl ?? found.label, handle: started.handle })
      .catch(() => {});
    const { version } = await waitUntilReady(context, started, signal);
    const cacheReset = await findCacheReset(started, signal);
    if (cacheReset !== undefined) context.note(`warning: the engine discarded its cache at its start (${cacheReset})`);
    const { status } = await factsOf(started.driver, started.handle, signal);
    if (context.json)
      context.print(
        JSON.stringify({ runner: found.label, id: started.handle.id, status, engine: version, cache: cacheReset === undefined ? "kept" : "discarded" }),
      );
    else context.note(`${found.label} runs · engine ${version}`);
    return EXIT.success;
  });
}

async function make(context: CommandContext, { url = "" }: FoundRunner, signal: AbortSignal): Promise<Runner> {
  return openRunner(url, { registry: await openCliRegistry(context), signal, report: context.report });
}

async function startAgain({ report }: CommandContext, found: FoundRunner, handle: RunnerHandle, signal: AbortSignal): Promise<Runner> {
  const driver = requireAbility(found, "lifecycle", "start");
  await driver.start(handle, { signal, report });
  return { url: found.shownUrl ?? found.label, driver, handle, losers: [], connect: (options: CallOptions = {}) => driver.connect(handle, options) };
}

async function waitUntilReady({ report }: CommandContext, runner: Runner, signal: AbortSignal): Promise<{ readonly version: string }> {
  const { openControlConnection, retryTransient } = await import("@anyrunner/engine");
  return retryTransient(
    async () => {
      const { info, http2, connection } = await openControlConnection(runner, { signal, report });
      http2.destroy();
      connection.stream.destroy();
      return info;
    },
    { what: `waiting for ${runner.url}`, budgetMs: READY_BUDGET_MS, signal, report },
  );
}

async function findCacheReset(
  { driver, handle }: { readonly driver: RunnerDriver; readonly handle: RunnerHandle },
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const log = await lastLogLines(driver, handle, { tail: 200, signal });
    const match = CACHE_RESET.exec(log.join("\n"));
    return match === null ? undefined : (match.groups?.["reason"] ?? "it was not shut down properly");
  } catch (error) {
    if (RunnerError.is(error)) return undefined;
    throw error;
  }
}
