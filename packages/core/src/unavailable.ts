import type { ProbeResult } from "./driver.ts";
import type { RunnerError } from "./runner-error.ts";

/** The answer of `probe` for what can't be used because of that error: with its reason, hint and facts, and the error itself behind it. */
export function unavailable(error: RunnerError): ProbeResult & { readonly available: false } {
  const { code, message, hint, details } = error;
  return { available: false, code, reason: message, hint, ...(details !== undefined && { details }), cause: error };
}
