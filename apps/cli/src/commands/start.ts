import { openEngineUses, openHandleStore } from "@anyrunner/config";
import { createRunner, openRunner, RunnerError, throwIfAborted, type Reporter, type Runner, type RunnerHandle } from "@anyrunner/core";
import { engineStartError, readyOrDead, type WatchedContainer } from "@anyrunner/engine-container";

import { watchCacheFate } from "../cache-fate.ts";
import type { CommandContext } from "../command-context.ts";
import { lastLogLines } from "../engine-log.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, type FoundRunner } from "../find-runner.ts";
import { interruptible } from "../interrupts.ts";
import { openCliRegistry } from "../list-runners.ts";
import { startReaperFor } from "../reaper/start-reaper.ts";
import { requireAbility } from "../require-ability.ts";
import { factsOf, type RunnerFacts } from "../runner-facts.ts";
import { tellCacheLoss } from "../tell-cache-loss.ts";

const READY_BUDGET_MS = 60_000;
const LOG_LINES = 50;

/** Starts a runner that is stopped, or makes the engine that its URL asks for, and waits until it answers. Fails as the driver does, or with TIMEOUT. */
export function startCommand(context: CommandContext, word: string): Promise<number> {
  return interruptible(async (signal) => {
    const found = await findRunner(context, word, signal);
    const watch = watchCacheFate(context.report);
    const call = { signal, report: watch.report };
    const before = found.handle && (await factsOf(found.driver, found.handle, signal)).status;
    const started = await startOrMake(context, found, call);
    // What was named by its id has a URL from before, if any.
    if (found.shownUrl !== undefined) {
      await openHandleStore({ env: context.env })
        .remember({ url: found.shownUrl, handle: started.handle })
        .catch(() => {});
    }
    const { version } = await awaitStarted(started, { signal });
    if (before !== undefined && before !== "running") await tellCacheLoss(started, { env: context.env, ...call });
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

/** What is only known from before, and was removed since, is made anew where a URL says how. */
async function startOrMake(context: CommandContext, found: FoundRunner, call: Call): Promise<Runner> {
  if (found.handle === undefined) return make(context, found, call);
  const facts = found.url === undefined ? undefined : await factsOf(found.driver, found.handle, call.signal);
  return facts?.status === "missing" ? make(context, found, call) : startAgain(found, found.handle, call);
}

async function make(context: CommandContext, { url = "" }: FoundRunner, call: Call): Promise<Runner> {
  const [{ createReadiness }, registry] = await Promise.all([import("@anyrunner/engine"), openCliRegistry(context)]);
  return openRunner(url, { registry, ready: createReadiness({ registry }), ...call });
}

async function startAgain(found: FoundRunner, handle: RunnerHandle, call: Call): Promise<Runner> {
  const driver = requireAbility(found, "lifecycle", "start");
  await driver.start(handle, call);
  return createRunner({ url: found.shownUrl ?? found.label, driver, handle });
}

/** Waits until it answers, but no longer than it lives: then its log may say why it ended. */
async function awaitStarted(runner: Runner, { signal }: Pick<Call, "signal">): Promise<{ readonly version: string }> {
  const { driver, handle } = runner;
  const before = await factsOf(driver, handle, signal);
  let answer: { readonly version: string } | undefined;
  try {
    await readyOrDead({
      driver: driver.name,
      ready: async (call) => void (answer = await waitUntilReady(runner, { signal: call })),
      look: async (call) => watched(await factsOf(driver, handle, call)),
      restarts: watched(before)?.restarts,
      signal,
    });
    if (answer !== undefined) return answer;
    throw new RunnerError("INTERNAL", "an engine that answers has no version");
  } catch (error) {
    throwIfAborted(signal);
    if (!RunnerError.is(error) || error.code !== "NOT_RUNNING") throw error;
    // Else its runtime would go on starting what can't live.
    if (handle.owned) await driver.stop?.(handle, { graceMs: 0, signal }).catch(() => {});
    const lines = await lastLogLines(driver, handle, { tail: LOG_LINES, signal }).catch(() => []);
    const name = before.details?.["name"];
    const shown = { name: typeof name === "string" ? name : handle.id, logCommand: `anyrunner logs ${runner.url}` };
    throw engineStartError(error, { driver: driver.name, log: lines.join("\n"), ...shown });
  }
}

/** What can't be known counts as alive. */
function watched({ status, exitCode, details }: RunnerFacts): WatchedContainer | undefined {
  if (status === "missing") return undefined;
  const restarts = Number(details?.["restarts"] ?? 0);
  const end = exitCode === undefined ? "" : `: it ended with exit code ${exitCode}`;
  return { lives: status !== "stopped", restarts: Number.isNaN(restarts) ? 0 : restarts, state: `is ${status}${end}` };
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
