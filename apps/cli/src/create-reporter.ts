import type { Reporter, RunnerEvent } from "@anyrunner/core";

import type { ProgressMode } from "./progress-mode.ts";

export interface CreateReporterOptions {
  readonly progress: ProgressMode;
  /** Gets one line at a time. */
  readonly write: (line: string) => void;
}

/** Shows what drivers and the engine client report: each warning once, of running progress only where it begins and ends. */
export function createReporter({ progress, write }: CreateReporterOptions): Reporter {
  const warned = new Set<string>();
  const running = new Set<string>();
  return (event) => {
    if (event.type === "warning") {
      if (warned.has(event.id)) return;
      warned.add(event.id);
    }
    if (progress === "json") return write(JSON.stringify(event));
    if (event.type === "progress" && !isTurningPoint(event, running)) return;
    for (const line of describe(event)) write(line);
  };
}

function isTurningPoint(event: RunnerEvent & { readonly type: "progress" }, running: Set<string>): boolean {
  if (event.done) return running.delete(event.id);
  if (running.has(event.id)) return false;
  running.add(event.id);
  return true;
}

function describe(event: RunnerEvent): readonly string[] {
  switch (event.type) {
    case "warning":
      return [`warning: ${event.message}`, ...(event.hint === undefined ? [] : [`hint: ${event.hint}`])];
    case "progress":
      return [`${event.message}${event.done ? ": done" : " …"}`];
    case "retry":
      return [`trying again in ${(event.delayMs / 1000).toFixed(1)} s: ${event.message}`];
  }
}
