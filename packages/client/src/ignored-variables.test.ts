import type { RunnerEvent } from "@anyrunner/core";
import { expect, test } from "vitest";

import { warnIgnoredVariables } from "./ignored-variables.ts";

test.each([
  ["v0.21.8", /engine v0\.21\.8 has no caches outside itself/],
  ["v1.0.0-beta.10", /engine v1\.0\.0-beta\.10 has no caches/],
  ["v0.20.8", /anyrunner does not pass it on/],
])("a cache variable that engine %s ignores is told, without its value", (engine, message) => {
  const events: RunnerEvent[] = [];
  warnIgnoredVariables({ env: { _EXPERIMENTAL_DAGGER_CACHE_CONFIG: "type=registry,ref=secret", OTHER: "x" }, engine, report: (event) => events.push(event) });
  expect(events).toEqual([expect.objectContaining({ type: "warning", message: expect.stringMatching(message) })]);
  expect(JSON.stringify(events)).not.toContain("secret");
});

test("nothing is told when nothing is set", () => {
  const events: RunnerEvent[] = [];
  warnIgnoredVariables({ env: { _EXPERIMENTAL_DAGGER_CACHE_CONFIG: "" }, engine: "v0.21.8", report: (event) => events.push(event) });
  expect(events).toEqual([]);
});
