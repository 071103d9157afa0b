import { urlOfName } from "@anyrunner/client";
import { inTime, parseRunnerUrl, RunnerError, throwIfAborted, type DriverEntry, type Registry, type RunnerUrl } from "@anyrunner/core";

import type { UserSettings } from "@anyrunner/config";
import type { Check } from "@anyrunner/engine-container";
import { failureOf, type Recorder } from "./check.ts";

const PROBE_BUDGET_MS = 10_000;

/**
 * Each driver that claims the scheme: whether it can serve the URL, or why not. Those behind the first that can are not asked by others, but
 * here they are. Gives whether there is any use in going on: not with a driver that doesn't answer.
 */
export async function checkCandidates(
  registry: Registry,
  { word, settings }: { readonly word: string; readonly settings: UserSettings },
  { record, signal }: { readonly record: Recorder; readonly signal: AbortSignal },
): Promise<boolean> {
  let url: RunnerUrl;
  try {
    url = parseRunnerUrl(urlOfName(word, settings).url);
  } catch (error) {
    record({ id: "candidates", ...failureOf(error) });
    return true;
  }
  const entries = registry.candidates(url.scheme);
  if (entries.length === 0) {
    record({ id: "candidates", ...failureOf(await unknownScheme(registry, url)) });
    return true;
  }
  let hasWinner = false;
  let isMute = false;
  for (const entry of entries) {
    const { isLate = false, ...check } = await checkCandidate(registry, entry, url, signal);
    isMute ||= isLate;
    // One that loses against another is no failure of the whole.
    record(check.status === "failed" && hasWinner ? { ...check, status: "skipped" } : check);
    hasWinner ||= check.status === "ok";
  }
  return hasWinner || !isMute;
}

async function checkCandidate(registry: Registry, entry: DriverEntry, url: RunnerUrl, signal: AbortSignal): Promise<Check & { readonly isLate?: boolean }> {
  const id = `candidate.${entry.name}`;
  try {
    const driver = await registry.load(entry);
    const target = await driver.parse(url);
    const late = () =>
      new RunnerError("TIMEOUT", `the driver ${driver.name} did not say within ${PROBE_BUDGET_MS / 1000} s whether ${target.url} is there`, {
        hint: "see whether what it asks answers: the address, a proxy or tunnel on the way, the program behind it",
      });
    const probe = await inTime({ budgetMs: PROBE_BUDGET_MS, signal, late }, (budget) => driver.probe(target, { signal: budget }));
    if (probe.available)
      return { id, status: "ok", detail: `${entry.origin} can serve ${url.scheme}://${probe.detail === undefined ? "" : `: ${probe.detail}`}` };
    return { id, status: "failed", detail: `${entry.origin}: ${probe.reason}`, ...(probe.hint !== undefined && { remedy: probe.hint }) };
  } catch (error) {
    throwIfAborted(signal);
    const { status, detail, remedy } = failureOf(error);
    return { id, status, detail: `${entry.origin}: ${detail}`, remedy, isLate: RunnerError.is(error) && error.code === "TIMEOUT" };
  }
}

async function unknownScheme(registry: Registry, url: RunnerUrl): Promise<unknown> {
  return registry.resolve(url).then(
    () => new RunnerError("INTERNAL", "a scheme without candidates was resolved"),
    (error: unknown) => error,
  );
}
