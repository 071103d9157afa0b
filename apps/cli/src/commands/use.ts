import { urlOfName } from "@anyrunner/client";
import { openUserStore } from "@anyrunner/config";
import { parseRunnerUrl, RunnerError, RUNNER_HOST_VARIABLES } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatWithDrivers } from "../find-runner.ts";
import { openCliRegistry } from "../list-runners.ts";

export interface UseCommandOptions {
  /** A name or a URL. Without it, the choice is shown. */
  readonly runner?: string | undefined;
  /** Take the choice back. */
  readonly clear: boolean;
}

/** Remembers which runner the user wants where nothing else names one. Fails with INVALID_URL, UNKNOWN_SCHEME or USAGE. */
export async function useCommand(context: CommandContext, { runner, clear }: UseCommandOptions): Promise<number> {
  if (clear && runner !== undefined) throw new RunnerError("USAGE", "--clear takes no runner", { hint: "leave one of them away" });
  const store = openUserStore({ env: context.env });
  if (runner === undefined && !clear) return show(context, (await store.read()).runner);
  if (runner !== undefined) {
    const { url } = urlOfName(runner, await store.read());
    await formatWithDrivers(await openCliRegistry(context), parseRunnerUrl(url));
  }
  await store.update((settings) => ({ ...settings, runner: runner?.trim() }));
  await show(context, runner);
  const winner = RUNNER_HOST_VARIABLES.find((name) => context.env[name]);
  if (winner !== undefined && runner !== undefined) context.note(`the variable ${winner} is set, and wins as long as it is`);
  return EXIT.success;
}

async function show(context: CommandContext, runner: string | undefined): Promise<number> {
  const registry = await openCliRegistry(context);
  const shown = runner === undefined ? undefined : runner.includes("://") ? await formatWithDrivers(registry, parseRunnerUrl(runner)) : runner;
  context.print(context.json ? JSON.stringify({ runner: shown ?? null }) : (shown ?? "none"));
  return EXIT.success;
}
