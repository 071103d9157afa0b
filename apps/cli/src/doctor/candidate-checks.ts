import { urlOfName } from "@anyrunner/client";
import { parseRunnerUrl, RunnerError, throwIfAborted, type DriverEntry, type Registry, type RunnerUrl } from "@anyrunner/core";

import type { UserSettings } from "@anyrunner/config";
import type { Check } from "@anyrunner/engine-container";
import { failureOf, type Recorder } from "./check.ts";

const PROBE_BUDGET_MS = 10_000;

/** Each driver that claims the scheme: whether it can serve the URL, or why not. Those behind the first that can are not asked by others, but here they are. */
export async function checkCandidates(
  registry: Registry,
  { word, settings }: { readonly word: string; readonly settings: UserSettings },
  { record, signal }: { readonly record: Recorder; readonly signal: AbortSignal },
): Promise<void> {
  let url: RunnerUrl;
  try {
    url = parseRunnerUrl(urlOfName(word, settings).url);
  } catch (error) {
    return record({ id: "candidates", ...failureOf(error) });
  }
  const entries = registry.candidates(url.scheme);
  if (entries.length === 0) return record({ id: "candidates", ...failureOf(await unknownScheme(registry, url)) });
  let hasWinner = false;
  for (const entry of entries) {
    const check = await checkCandidate(registry, entry, url, signal);
    // One that loses against another is no failure of the whole.
    record(check.status === "failed" && hasWinner ? { ...check, status: "skipped" } : check);
    hasWinner ||= check.status === "ok";
  }
}

async function checkCandidate(registry: Registry, entry: DriverEntry, url: RunnerUrl, signal: AbortSignal): Promise<Check> {
  const id = `candidate.${entry.name}`;
  try {
    const driver = await registry.load(entry);
    const target = await driver.parse(url);
    const probe = await driver.probe(target, { signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_BUDGET_MS)]) });
    if (probe.available)
      return { id, status: "ok", detail: `${entry.origin} can serve ${url.scheme}://${probe.detail === undefined ? "" : `: ${probe.detail}`}` };
    return { id, status: "failed", detail: `${entry.origin}: ${probe.reason}`, ...(probe.hint !== undefined && { remedy: probe.hint }) };
  } catch (error) {
    throwIfAborted(signal);
    const { status, detail, remedy } = failureOf(error);
    return { id, status, detail: `${entry.origin}: ${detail}`, remedy };
  }
}

async function unknownScheme(registry: Registry, url: RunnerUrl): Promise<unknown> {
  return registry.resolve(url).then(
    () => new RunnerError("INTERNAL", "a scheme without candidates was resolved"),
    (error: unknown) => error,
  );
}
