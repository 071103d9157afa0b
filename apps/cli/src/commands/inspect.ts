import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, requireHandle } from "../find-runner.ts";
import { formatTable } from "../format-table.ts";
import { interruptible } from "../interrupts.ts";
import { requireAbility } from "../require-ability.ts";

/** Shows what a runner's driver knows about it; the engine isn't asked. Fails with NOT_FOUND, UNSUPPORTED, or as the driver does. */
export function inspectCommand(context: CommandContext, word: string): Promise<number> {
  return interruptible(async (signal) => {
    const runner = await findRunner(context, word, signal);
    const driver = requireAbility(runner, "inspect", "inspect");
    const handle = requireHandle(runner);
    const state = await driver.inspect(handle, { signal });
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
