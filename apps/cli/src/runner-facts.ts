import { RunnerError, throwIfAborted, type JsonObject, type ProbeResult, type RunnerDriver, type RunnerHandle, type RunnerState } from "@anyrunner/core";

/** What can be said of a runner without asking its engine. */
export interface RunnerFacts {
  /** As `RunnerState` has it; `available` and `unavailable` where a driver can only say whether something is there. */
  readonly status: RunnerState["status"] | "available" | "unavailable";
  readonly image?: string | undefined;
  readonly startedAt?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly oomKilled?: boolean | undefined;
  readonly details?: JsonObject | undefined;
  /** Why it is not known, or not available. */
  readonly reason?: string | undefined;
  readonly hint?: string | undefined;
}

/** How long one runner may take to say its state, in ms. */
const INSPECT_BUDGET_MS = 10_000;

/** The state of a runner as its driver knows it; a driver that fails is a fact, too. Fails with ABORTED only. */
export async function factsOf(driver: RunnerDriver, handle: RunnerHandle, signal: AbortSignal): Promise<RunnerFacts> {
  if (driver.inspect === undefined) return { status: "unknown", reason: `the driver "${driver.name}" can't inspect` };
  try {
    return await driver.inspect(handle, { signal: AbortSignal.any([signal, AbortSignal.timeout(INSPECT_BUDGET_MS)]) });
  } catch (error) {
    throwIfAborted(signal);
    return failureFacts(error);
  }
}

export function probeFacts(probe: ProbeResult): RunnerFacts {
  return probe.available ? { status: "available" } : { status: "unavailable", reason: probe.reason, hint: probe.hint };
}

/** What a failure says about a runner. */
export function failureFacts(error: unknown): RunnerFacts {
  if (!RunnerError.is(error)) throw error;
  const known = error.code === "NOT_RUNNING" ? "stopped" : error.code === "NOT_FOUND" ? "missing" : "unknown";
  const { exitCode, oomKilled } = error.details ?? {};
  return {
    status: known,
    reason: error.message,
    hint: error.hint,
    ...(typeof exitCode === "number" && { exitCode }),
    ...(typeof oomKilled === "boolean" && { oomKilled }),
  };
}
