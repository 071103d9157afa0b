import { parseRunnerUrl } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, requireHandle, type FoundRunner } from "../find-runner.ts";
import { formatTable } from "../format-table.ts";
import { interruptible } from "../interrupts.ts";
import { probeFacts, type RunnerFacts } from "../runner-facts.ts";

/**
 * Shows what a runner's driver knows about it; the engine isn't asked. Of one that its driver can't look into, whether it is there. Fails with
 * NOT_FOUND, or as the driver does.
 */
export function inspectCommand(context: CommandContext, word: string): Promise<number> {
  return interruptible(async (signal) => {
    const runner = await findRunner(context, word, signal);
    const { driver } = runner;
    const handle = requireHandle(runner);
    const state = driver.inspect === undefined ? await probed(runner, signal) : await driver.inspect(handle, { signal });
    const facts = { name: runner.name ?? null, url: runner.shownUrl ?? null, driver: driver.name, id: handle.id, owned: handle.owned, ...state };
    if (context.json) {
      context.print(JSON.stringify({ ...facts, handle }, undefined, 2));
      return EXIT.success;
    }
    const { details = {}, ...plain } = facts;
    const more = Object.entries(details).map(([name, value]) => [name in plain ? `container ${name}` : name, value] as const);
    const rows = [...Object.entries(plain), ...more]
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)]);
    for (const line of formatTable([], rows, context.columns)) context.print(line);
    return EXIT.success;
  });
}

async function probed({ driver, url }: FoundRunner, signal: AbortSignal): Promise<RunnerFacts> {
  if (url === undefined) return { status: "unknown", reason: `the driver "${driver.name}" can't inspect` };
  return probeFacts(await driver.probe(await driver.parse(parseRunnerUrl(url)), { signal }));
}
