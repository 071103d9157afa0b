import { orAborted, type Reporter } from "@anyrunner/core";
import { readText } from "@anyrunner/protocol";

import type { SendSessionRequest } from "./session-request.ts";
import type { TelemetrySubscription } from "./telemetry/subscribe.ts";

export interface ShutdownInput {
  readonly request: SendSessionRequest;
  readonly telemetry: TelemetrySubscription;
  readonly budgetMs: number;
  readonly report?: Reporter | undefined;
}

/**
 * Tells the engine that the client is done, then reads telemetry to its end, both within one budget (engine protocol 4.7).
 * A slow or broken end is reported, never thrown: it must not change the outcome of the work before it.
 */
export async function shutDownEngineSession({ request, telemetry, budgetMs, report }: ShutdownInput): Promise<void> {
  const budget = AbortSignal.timeout(budgetMs);
  try {
    const response = await request({ method: "POST", path: "/shutdown", signal: budget });
    await readText(response.body, { limitBytes: 1 << 20 });
    await orAborted(telemetry.drained, budget);
  } catch (error) {
    const reason = budget.aborted ? `not within ${budgetMs / 1000} s` : error instanceof Error ? error.message : String(error);
    report?.({ type: "warning", id: "shutdown", message: `the engine did not end the session cleanly: ${reason}` });
  }
}
