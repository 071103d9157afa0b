import type { RunnerEvent } from "@anyrunner/core";
import { expect, test } from "vitest";

import { createReporter } from "./create-reporter.ts";

const EVENTS: readonly RunnerEvent[] = [
  { type: "warning", id: "plain", message: "plaintext", hint: "use TLS" },
  { type: "warning", id: "plain", message: "plaintext" },
  { type: "progress", id: "pull", message: "pulling x", current: 1, total: 3 },
  { type: "progress", id: "pull", message: "pulling x", current: 2, total: 3 },
  { type: "progress", id: "pull", message: "pulling x", done: true },
  { type: "retry", attempt: 1, delayMs: 1500, message: "not ready" },
];

function lines(progress: "auto" | "json"): string[] {
  const written: string[] = [];
  const report = createReporter({ progress, write: (line) => written.push(line) });
  for (const event of EVENTS) report(event);
  return written;
}

test("a warning is shown once, progress where it turns", () => {
  expect(lines("auto")).toEqual(["warning: plaintext", "hint: use TLS", "pulling x …", "pulling x: done", "trying again: not ready"]);
});

test("of retries each reason is said once, then a sign of life every ten seconds", () => {
  const written: string[] = [];
  let seconds = 0;
  const report = createReporter({ progress: "auto", write: (line) => written.push(line), now: () => seconds * 1000 });
  for (let attempt = 1; attempt <= 26; attempt++) {
    report({ type: "retry", attempt, delayMs: 1000, message: attempt < 15 ? `nothing listens (process ${attempt})` : "not ready" });
    seconds++;
  }
  report({ type: "retry", attempt: 1, delayMs: 1000, message: "not ready" });
  expect(written).toEqual([
    "trying again: nothing listens (process 1)",
    "still trying (10 s)",
    "trying again: not ready",
    "still trying (24 s)",
    "trying again: not ready",
  ]);
});

test("JSON has every step", () => {
  expect(lines("json").map((line) => JSON.parse(line) as unknown)).toEqual(EVENTS.filter((_, index) => index !== 1));
});
