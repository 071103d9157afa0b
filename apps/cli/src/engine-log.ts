import type { RunnerDriver, RunnerHandle } from "@anyrunner/core";

const LONGEST = 64 * 1024;
const BUDGET_MS = 10_000;

/** The last lines of an engine's log, the oldest first, at most 64 KiB; none where the driver has no logs. Fails as the driver does. */
export async function lastLogLines(
  driver: RunnerDriver,
  handle: RunnerHandle,
  options: { readonly tail: number; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  if (driver.logs === undefined) return [];
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(BUDGET_MS)]);
  let text = "";
  for await (const chunk of driver.logs(handle, { tail: options.tail, follow: false, signal })) text = (text + chunk).slice(-LONGEST);
  const trimmed = text.trimEnd();
  return trimmed === "" ? [] : trimmed.split("\n").slice(-options.tail);
}
