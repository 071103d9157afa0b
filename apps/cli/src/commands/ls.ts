import { openHandleStore, openUserStore } from "@anyrunner/config";
import { parseRunnerUrl, type Registry, type RunnerHandle } from "@anyrunner/core";

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

/** Lists the runners that have a name, and what the drivers of this project made; asks no engine. */
export function lsCommand(context: CommandContext): Promise<number> {
  return interruptible(async (signal) => {
    const settings = await openUserStore({ env: context.env }).read();
    const registry = await openCliRegistry(context);
    const named = await Promise.all(
      Object.entries(settings.runners ?? {}).map(([name, { url }]) => describeNamed(context, registry, { name, url, used: settings.runner === name, signal })),
    );
    const { handles, failures } = await listRunners(registry, signal);
    const others = handles.filter((handle) => !named.some(({ driver, id }) => driver === handle.driver && id === handle.id));
    const runners = [...named, ...(await describeOthers(context, registry, others, signal))];
    const reaper = await findReaper({ env: context.env });
    if (context.json)
      context.print(
        JSON.stringify({ runners, reaper: reaper ?? null, failures: failures.map(({ driver, error }) => ({ driver, ...error.toJSON() })) }, undefined, 2),
      );
    else print(context, runners);
    if (reaper !== undefined) context.note(`the reaper (process ${reaper}) stops engines that are idle`);
    for (const { driver, error } of failures) context.note(`warning: ${driver} can't list its runners: ${error.message}`);
    return EXIT.success;
  });
}

async function describeNamed(
  context: CommandContext,
  registry: Registry,
  named: { name: string; url: string; used: boolean; signal: AbortSignal },
): Promise<ListedRunner> {
  const { name, used, signal } = named;
  const base = { name, used, url: await shownUrl(registry, named.url), driver: null, id: null, owned: false };
  try {
    const { driver, handle } = await findRunner(context, name, signal);
    const facts = { ...base, driver: driver.name };
    if (handle === undefined) return { ...facts, status: "missing", reason: "never started" };
    if (driver.inspect === undefined) return { ...facts, id: handle.id, owned: handle.owned, ...probeFacts({ available: true }) };
    return { ...facts, id: handle.id, owned: handle.owned, ...(await factsOf(driver, handle, signal)) };
  } catch (error) {
    const facts = failureFacts(error);
    return { ...base, ...facts, status: facts.status === "unknown" ? "unavailable" : facts.status };
  }
}

async function shownUrl(registry: Registry, url: string): Promise<string> {
  return formatWithDrivers(registry, parseRunnerUrl(url)).catch(() => "(no URL)");
}

async function describeOthers(
  context: CommandContext,
  registry: Registry,
  handles: readonly RunnerHandle[],
  signal: AbortSignal,
): Promise<readonly ListedRunner[]> {
  const stored = await openHandleStore({ env: context.env }).read();
  return Promise.all(
    handles.map(async (handle) => {
      const url = stored.findLast((known) => known.handle.driver === handle.driver && known.handle.id === handle.id)?.url ?? null;
      const facts = await factsOf(await registry.driver(handle.driver), handle, signal);
      return { name: null, url, driver: handle.driver, id: handle.id, owned: handle.owned, used: false, ...facts };
    }),
  );
}

function print(context: CommandContext, runners: readonly ListedRunner[]): void {
  if (runners.length === 0) return context.note("no runner has a name, and none was made: anyrunner add NAME URL");
  const rows = runners.map(({ name, used, url, id, driver, owned, status, image, details }) => [
    `${used ? "* " : "  "}${name ?? shortName(details, id)}`,
    status,
    driver ?? "",
    owned ? "ours" : "",
    url ?? image ?? "",
  ]);
  for (const line of formatTable(["  NAME", "STATUS", "DRIVER", "OWNER", "URL"], rows)) context.print(line.trimEnd());
}

function shortName(details: RunnerFacts["details"], id: string | null): string {
  const name = details?.["name"];
  return typeof name === "string" ? name : (id?.slice(0, 12) ?? "");
}
