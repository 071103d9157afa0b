import { isRunnerName, openUserStore } from "@anyrunner/config";
import { parseRunnerUrl, RunnerError, serializeRunnerUrl } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatWithDrivers } from "../find-runner.ts";
import { openCliRegistry } from "../list-runners.ts";
import { readHiddenLine } from "../read-hidden-line.ts";
import { warnOfVisibleSecret } from "../visible-secrets.ts";

export interface AddCommandOptions {
  readonly name: string;
  /** `-` reads it from standard input. */
  readonly url: string;
  /** Let the name stand for another URL than before. */
  readonly replace: boolean;
}

/** Gives a URL a name. Checks its grammar and asks nobody. Fails with USAGE, ALREADY_EXISTS, or as the driver's grammar does. */
export async function addCommand(context: CommandContext, { name, url: given, replace }: AddCommandOptions): Promise<number> {
  if (!isRunnerName(name)) {
    throw new RunnerError("USAGE", `"${name}" can't be a name`, { hint: "use up to 64 letters, digits, dots, dashes and underscores: anyrunner add NAME URL" });
  }
  const text = given === "-" ? await readUrl(context) : given;
  const url = parseRunnerUrl(text);
  const registry = await openCliRegistry(context);
  const shownUrl = await formatWithDrivers(registry, url);
  if (given !== "-" && shownUrl !== serializeRunnerUrl(url)) warnOfVisibleSecret(context.report);
  // The first candidate that can be loaded knows the grammar; one that is not installed says so.
  const [entry] = registry.candidates(url.scheme);
  if (entry === undefined) await registry.resolve(url);
  else await (await registry.load(entry)).parse(url);
  const store = openUserStore({ env: context.env });
  await store.update((settings) => {
    const known = settings.runners?.[name];
    if (known !== undefined && known.url !== text.trim() && !replace) {
      throw new RunnerError("ALREADY_EXISTS", `a runner is named "${name}" already`, {
        hint: `choose another name, or replace it: anyrunner add --replace ${name} URL`,
      });
    }
    return { ...settings, runners: { ...settings.runners, [name]: { url: text.trim() } } };
  });
  if (context.json) context.print(JSON.stringify({ name, url: shownUrl }));
  else context.note(`${name} is ${shownUrl}`);
  return EXIT.success;
}

async function readUrl(context: CommandContext): Promise<string> {
  if (process.stdin.isTTY) context.note("type or paste the URL, then Enter; it is not shown");
  const line = await readHiddenLine(process.stdin);
  if (line !== undefined) return line;
  throw new RunnerError("USAGE", "standard input has no URL", { hint: "write it there: anyrunner add NAME - < FILE" });
}
