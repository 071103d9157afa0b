import type { RunnerDriver, RunnerHandle, RunnerState } from "@anyrunner/core";
import type { Check } from "@anyrunner/engine-container";

import { lastLogLines } from "../engine-log.ts";
import type { Recorder } from "./check.ts";

interface Recording {
  readonly record: Recorder;
  readonly signal: AbortSignal;
}

const BUDGET_MS = 10_000;
const LOG_LINES = 20;

/** Why an engine doesn't answer, as its runtime knows it: how its container or pod is or ended, what happened to it, and its last words. */
export async function recordState(driver: RunnerDriver, handle: RunnerHandle, { record, signal }: Recording): Promise<void> {
  const budget = AbortSignal.any([signal, AbortSignal.timeout(BUDGET_MS)]);
  const state = await driver.inspect?.(handle, { signal: budget }).catch(() => undefined);
  signal.throwIfAborted();
  if (state !== undefined) for (const check of stateChecks(state)) record(check);
  if (driver.logs === undefined) return;
  const lines = await lastLogLines(driver, handle, { tail: LOG_LINES, signal }).catch(() => []);
  record({
    id: "engine.log",
    status: lines.length === 0 ? "skipped" : "ok",
    detail: lines.length === 0 ? "it wrote nothing" : `its last words:\n${lines.join("\n")}`,
  });
}

/** What the state of a runner says, as checks; nothing of one that simply runs. */
export function stateChecks({ status, exitCode, oomKilled = false, details = {} }: RunnerState): readonly Check[] {
  const { restarts, node, events, eventsUnknown } = details;
  const ended = exitCode === undefined ? "" : `, exit code ${exitCode}${oomKilled ? ", killed for lack of memory" : ""}`;
  const happened = Array.isArray(events) ? events.filter((event) => typeof event === "string") : [];
  const checks: Check[] = [];
  if (status !== "running" || ended !== "" || happened.length > 0) {
    checks.push({
      id: "runner.state",
      status: "failed",
      detail: `${status}${typeof node === "string" ? ` on the node ${node}` : ""}${ended}${typeof restarts === "number" ? describeRestarts(restarts) : ""}`,
      remedy: remedyFor({ status, exitCode, oomKilled, hasEvents: happened.length > 0 }),
    });
  }
  if (happened.length > 0) checks.push({ id: "runner.events", status: "warning", detail: `what happened to it:\n${happened.join("\n")}` });
  if (typeof eventsUnknown === "string")
    checks.push({ id: "runner.events", status: "skipped", detail: `what happened to it can't be known: ${eventsUnknown}` });
  return checks;
}

function describeRestarts(count: number): string {
  return count === 0 ? "" : count === 1 ? ", restarted once" : `, restarted ${count} times`;
}

interface Facts {
  readonly status: RunnerState["status"];
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;
  readonly hasEvents: boolean;
}

function remedyFor({ status, exitCode, oomKilled, hasEvents }: Facts): string {
  if (oomKilled) return "give it more memory: the limit of its container, or memory= where anyrunner made it";
  if (exitCode !== undefined) return "mend what its last words name";
  if (hasEvents) return "mend what its events name";
  return status === "stopped" ? "start it: anyrunner start" : "wait until it runs, or see what its runtime says of it";
}
