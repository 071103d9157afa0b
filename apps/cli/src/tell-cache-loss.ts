import { rememberEngineStart } from "@anyrunner/config";
import type { Runner } from "@anyrunner/core";
import { cacheLossAtStart } from "@anyrunner/engine-container";

import type { CommandContext } from "./command-context.ts";
import { lastLogLines } from "./engine-log.ts";
import { factsOf } from "./runner-facts.ts";

const LOG_LINES = 2000;
/** A runtime writes down when a container started a little after its first words. */
const EARLY_MS = 2000;

/** Warns when an engine that was started just now says in its log that it discarded its cache. A log that can't be read says nothing. */
export async function tellCacheLoss(
  { driver, handle }: Runner,
  { env, report, signal }: Pick<CommandContext, "env" | "report"> & { readonly signal: AbortSignal },
): Promise<void> {
  const { startedAt, details } = await factsOf(driver, handle, signal);
  if (startedAt === undefined) return;
  const lines = await lastLogLines(driver, handle, { tail: LOG_LINES, signal }).catch(() => []);
  const name = details?.["name"];
  const event = cacheLossAtStart(typeof name === "string" ? name : handle.id, linesSince(lines, startedAt).join("\n"));
  if (event === undefined) return;
  report(event);
  // So that the next session doesn't say it again.
  await rememberEngineStart({ driver: driver.name, id: handle.id, startedAt }, { env });
}

/** The lines of a log, as engines write it (`time=2026-11-25T14:35:58.921Z level=…`), that are of this start: a log goes on where it ended before. */
function linesSince(lines: readonly string[], startedAt: string): readonly string[] {
  const since = Date.parse(startedAt) - EARLY_MS;
  return lines.filter((line) => Date.parse(/\btime="?([^\s"]+)/.exec(line)?.[1] ?? "") >= since);
}
