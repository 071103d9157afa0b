import { openHandleStore, openUserStore } from "@anyrunner/config";
import { inTime, parseRunnerUrl, RunnerError, shortId, throwIfAborted, type Registry, type RunnerHandle } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, formatWithDrivers } from "../find-runner.ts";
import { formatTable } from "../format-table.ts";
import { interruptible } from "../interrupts.ts";
import { listRunners, openCliRegistry } from "../list-runners.ts";
import { findReaper } from "../reaper/reaper-lock.ts";
import { failureFacts, factsOf, probeFacts, type RunnerFacts } from "../runner-facts.ts";

interface ListedRunner extends RunnerFacts {
  readonly name: string | null;
  /** Secrets hidden. */
  readonly url: string | null;
  readonly driver: string | null;
  readonly id: string | null;
  readonly owned: boolean;
  /** Chosen with `use`. */
  readonly used: boolean;
}

export interface LsCommandOptions {
  /** How long each runner may take to say its state, in ms; all are asked at once. */
  readonly timeoutMs: number;
}

/** Lists the runners that have a name, and what the drivers of this project made; asks no engine. */
export function lsCommand(context: CommandContext, { timeoutMs }: LsCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const asking = { context, registry: await openCliRegistry(context), timeoutMs, signal };
    const settings = await openUserStore({ env: context.env }).read();
    const [{ handles, failures }, ...named] = await Promise.all([
      listRunners(asking.registry, signal),
      ...Object.entries(settings.runners ?? {}).map(([name, { url }]) => describeNamed(asking, { name, url, used: settings.runner === name })),
    ]);
    const others = handles.filter((handle) => !named.some(({ driver, id }) => driver === handle.driver && id === handle.id));
    const runners = [...named, ...(await describeOthers(asking, others))];
    const reaper = await findReaper({ env: context.env });
    if (context.json)
      context.print(
        JSON.stringify({ runners, reaper: reaper ?? null, failures: failures.map(({ driver, error }) => ({ driver, ...error.toJSON() })) }, undefined, 2),
      );
    else print(context, runners, timeoutMs);
    if (reaper !== undefined) context.note(`the reaper (process ${reaper}) stops engines that are idle`);
    for (const { driver, error } of failures) context.note(`warning: ${driver} can't list its runners: ${error.message}`);
    return EXIT.success;
  });
}

interface Asking {
  readonly context: CommandContext;
  readonly registry: Registry;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

async function describeNamed(asking: Asking, named: { readonly name: string; readonly url: string; readonly used: boolean }): Promise<ListedRunner> {
  const { context, registry } = asking;
  const { name, used } = named;
  const base = { name, used, url: await shownUrl(registry, named.url), driver: null, id: null, owned: false };
  return answerInTime<ListedRunner>(asking, base, async (signal) => {
    try {
      const { driver, handle } = await findRunner(context, name, signal, registry);
      const facts = { ...base, driver: driver.name };
      if (handle === undefined) return { ...facts, status: "missing", reason: "never started" };
      if (driver.inspect === undefined) return { ...facts, id: handle.id, owned: handle.owned, ...probeFacts({ available: true }) };
      return { ...facts, id: handle.id, owned: handle.owned, ...(await factsOf(driver, handle, signal)) };
    } catch (error) {
      const facts = failureFacts(error);
      return { ...base, ...facts, status: facts.status === "unknown" ? "unavailable" : facts.status };
    }
  });
}

/** That a runner takes too long to answer is a fact of it, too. Fails with ABORTED only. */
async function answerInTime<T>({ timeoutMs, signal }: Asking, base: Omit<T, keyof RunnerFacts>, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new RunnerError("TIMEOUT", noAnswer(timeoutMs));
  try {
    return await inTime({ budgetMs: timeoutMs, signal, late: () => late }, ask);
  } catch (error) {
    throwIfAborted(signal);
    if (error !== late) throw error;
    return { ...base, status: "unknown", reason: late.message } as T;
  }
}

function noAnswer(timeoutMs: number): string {
  return `no answer in ${timeoutMs / 1000} s`;
}

async function shownUrl(registry: Registry, url: string): Promise<string> {
  return formatWithDrivers(registry, parseRunnerUrl(url)).catch(() => "(no URL)");
}

async function describeOthers(asking: Asking, handles: readonly RunnerHandle[]): Promise<readonly ListedRunner[]> {
  const { context, registry } = asking;
  const stored = await openHandleStore({ env: context.env }).read();
  return Promise.all(
    handles.map(async (handle) => {
      const url = stored.findLast((known) => known.handle.driver === handle.driver && known.handle.id === handle.id)?.url ?? null;
      const base = { name: null, url, driver: handle.driver, id: handle.id, owned: handle.owned, used: false };
      return answerInTime<ListedRunner>(asking, base, async (signal) => ({
        ...base,
        ...(await factsOf(await registry.driver(handle.driver), handle, signal)),
      }));
    }),
  );
}

function print(context: CommandContext, runners: readonly ListedRunner[], timeoutMs: number): void {
  if (runners.length === 0) return context.note("no runner has a name, and none was made: anyrunner add NAME URL");
  const rows = runners.map(({ name, used, url, id, driver, owned, status, reason, image, details }) => [
    `${used ? "* " : "  "}${name ?? shortName(details, id)}`,
    reason === noAnswer(timeoutMs) ? `${status} (${reason})` : status,
    driver ?? "",
    owned ? "ours" : "",
    url ?? image ?? "",
  ]);
  for (const line of formatTable(["  NAME", "STATUS", "DRIVER", "OWNER", "URL"], rows, context.columns)) context.print(line.trimEnd());
}

function shortName(details: RunnerFacts["details"], id: string | null): string {
  const name = details?.["name"];
  return typeof name === "string" ? name : shortId(id ?? "");
}
