import { openEngineUses, openHandleStore } from "@anyrunner/config";
import { openRunner, type CallOptions, type Reporter, type Runner, type RunnerHandle } from "@anyrunner/core";

import { watchCacheFate } from "../cache-fate.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, type FoundRunner } from "../find-runner.ts";
import { interruptible } from "../interrupts.ts";
import { openCliRegistry } from "../list-runners.ts";
import { startReaperFor } from "../reaper/start-reaper.ts";
import { requireAbility } from "../require-ability.ts";
import { factsOf } from "../runner-facts.ts";

const READY_BUDGET_MS = 60_000;

/** Starts a runner that is stopped, or makes the engine that its URL asks for, and waits until it answers. Fails as the driver does, or with TIMEOUT. */
export function startCommand(context: CommandContext, word: string): Promise<number> {
  return interruptible(async (signal) => {
    const found = await findRunner(context, word, signal);
    const watch = watchCacheFate(context.report);
    const call = { signal, report: watch.report };
    const started = found.handle === undefined ? await make(context, found, call) : await startAgain(found, found.handle, call);
    // What was named by its id has a URL from before, if any.
    if (found.shownUrl !== undefined) {
      await openHandleStore({ env: context.env })
        .remember({ url: found.shownUrl, handle: started.handle })
        .catch(() => {});
    }
    const { version } = await waitUntilReady(started, { signal });
    await openEngineUses({ env: context.env }).touch(started.handle);
    await startReaperFor(context, started.handle);
    const { status } = await factsOf(started.driver, started.handle, signal);
    const lost = watch.fate() === "discarded";
    if (context.json) context.print(JSON.stringify({ runner: found.label, id: started.handle.id, status, engine: version, cacheDiscarded: lost }));
    else context.note(`${found.label} runs · engine ${version}`);
    return EXIT.success;
  });
}

interface Call {
  readonly signal: AbortSignal;
  readonly report: Reporter;
}

async function make(context: CommandContext, { url = "" }: FoundRunner, call: Call): Promise<Runner> {
  const [{ createReadiness }, registry] = await Promise.all([import("@anyrunner/engine"), openCliRegistry(context)]);
  return openRunner(url, { registry, ready: createReadiness({ registry }), ...call });
}

async function startAgain(found: FoundRunner, handle: RunnerHandle, call: Call): Promise<Runner> {
  const driver = requireAbility(found, "lifecycle", "start");
  await driver.start(handle, call);
  return { url: found.shownUrl ?? found.label, driver, handle, losers: [], connect: (options: CallOptions = {}) => driver.connect(handle, options) };
}

/** That an engine which is starting doesn't answer yet is no news. */
async function waitUntilReady(runner: Runner, { signal }: Pick<Call, "signal">): Promise<{ readonly version: string }> {
  const { openControlConnection, retryTransient } = await import("@anyrunner/engine");
  return retryTransient(
    async () => {
      const { info, http2, connection } = await openControlConnection(runner, { signal });
      http2.destroy();
      connection.stream.destroy();
      return info;
    },
    { what: `waiting for ${runner.url}`, budgetMs: READY_BUDGET_MS, signal },
  );
}
