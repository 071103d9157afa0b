import { RunnerError, type ErrorCode, type Reporter } from "@anyrunner/core";

import type { Check } from "./check.ts";

/** What each failure means to a caller, by what stands behind the dot of its id. */
const CODES: Readonly<Record<string, ErrorCode>> = { system: "UNSUPPORTED", address: "INVALID_OPTION", port: "ALREADY_EXISTS", overlay: "NOT_AVAILABLE" };

/**
 * Lets an engine be started or not: a check that failed is an error with reason and remedy, and its id in `details.requirement`;
 * warnings are reported. What a runtime says of itself without being asked, and what this very process may do, are no news at every start.
 */
export function requireChecks(checks: readonly Check[], { driver, report }: { readonly driver: string; readonly report?: Reporter | undefined }): void {
  const weighed = checks.filter(({ id }) => id !== `${driver}.warning` && id !== "host.privileges");
  const failed = weighed.find(({ status }) => status === "failed");
  if (failed !== undefined) {
    const { id, detail, remedy } = failed;
    const code = CODES[id.slice(id.indexOf(".") + 1)] ?? "NOT_AVAILABLE";
    throw new RunnerError(code, `an engine can't run here: ${detail}`, { hint: remedy, driver, details: { requirement: id } });
  }
  for (const { id, status, detail, remedy } of weighed) {
    if (status === "warning") report?.({ type: "warning", id: `requirement-${id}`, message: detail, hint: remedy });
  }
}
