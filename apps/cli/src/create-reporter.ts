import type { Reporter, RunnerEvent } from "@anyrunner/core";

import type { ProgressMode } from "./progress/progress-mode.ts";

export interface CreateReporterOptions {
  readonly progress: ProgressMode;
  /** Gets one line at a time. */
  readonly write: (line: string) => void;
  /** Milliseconds from any origin. Default: the clock of this process. */
  readonly now?: (() => number) | undefined;
}

/** How long nothing new is said while something is tried again and again. */
const STILL_TRYING_MS = 10_000;

/**
 * Shows what drivers and the engine client report: each warning once, of running progress only where it begins, says something new and
 * ends, and of retries each reason once, then a sign of life every ten seconds. JSON has everything but repeated warnings.
 */
export function createReporter({ progress, write, now = () => performance.now() }: CreateReporterOptions): Reporter {
  const warned = new Set<string>();
  const running = new Map<string, string>();
  const describeRetry = createRetryText(now);
  return (event) => {
    if (event.type === "warning") {
      if (warned.has(event.id)) return;
      warned.add(event.id);
    }
    if (progress === "json") return write(JSON.stringify(event));
    if (event.type === "progress" && !isTurningPoint(event, running)) return;
    const lines = event.type === "retry" ? describeRetry(event) : describe(event);
    for (const line of lines) write(line);
  };
}

/** `running` has what was said last, by id. */
function isTurningPoint({ id, message, done }: RunnerEvent & { readonly type: "progress" }, running: Map<string, string>): boolean {
  if (done) return running.delete(id);
  if (running.get(id) === message) return false;
  running.set(id, message);
  return true;
}

function describe(event: Exclude<RunnerEvent, { readonly type: "retry" }>): readonly string[] {
  switch (event.type) {
    case "warning":
      return [`warning: ${event.message}`, ...(event.hint === undefined ? [] : [`hint: ${event.hint}`])];
    case "progress":
      return [`${event.message}${event.done ? ": done" : " …"}`];
  }
}

function createRetryText(now: () => number): (event: RunnerEvent & { readonly type: "retry" }) => readonly string[] {
  const reasons = new Set<string>();
  let beganAt = 0;
  let saidAt = 0;
  return ({ attempt, message }) => {
    if (attempt === 1) {
      reasons.clear();
      beganAt = now();
    }
    // Numbers change from attempt to attempt (ports, process ids) and make no new reason.
    const reason = message.replaceAll(/\d+/g, "0");
    const isNew = !reasons.has(reason);
    if (!isNew && now() - saidAt < STILL_TRYING_MS) return [];
    reasons.add(reason);
    saidAt = now();
    return isNew ? [`trying again: ${message}`] : [`still trying (${Math.round((now() - beganAt) / 1000)} s)`];
  };
}
