import type { RunnerEvent } from "@anyrunner/core";
import { createDoubleDriver, createEngineDouble, doubleRunner, type EngineDoubleOptions } from "@anyrunner/testkit";
import { expect, test } from "vitest";

import { createReadiness } from "./create-readiness.ts";

/** No time passes but by sleeping, and sleeping takes none. */
const instantClock = () => {
  let now = 0;
  return { now: () => now, sleep: async (ms: number) => void (now += ms) };
};

async function ask(options: EngineDoubleOptions, budgetMs = 60_000) {
  const engine = createEngineDouble(options);
  const events: RunnerEvent[] = [];
  const driver = createDoubleDriver(engine);
  const ready = createReadiness({ registry: { driver: () => Promise.resolve(driver) }, budgetMs, clock: instantClock() });
  const outcome: unknown = await ready(doubleRunner(engine).handle, { report: (event) => events.push(event) }).catch((error: unknown) => error);
  await expect.poll(() => engine.streamCount()).toBe(0);
  const dials = engine.count("stream");
  await engine.kill();
  return { outcome, events, dials };
}

test("resolves when the engine says who it is, and leaves no stream", async () => {
  expect(await ask({})).toEqual({ outcome: undefined, events: [], dials: 1 });
});

test("asks a starting engine again, and reports nothing of it", async () => {
  expect(await ask({ faults: [{ at: "stream", action: "cut", times: 3 }] })).toEqual({ outcome: undefined, events: [], dials: 4 });
});

test("gives up when the budget is spent", async () => {
  const { outcome, dials } = await ask({ faults: [{ at: "stream", action: "cut" }] }, 1000);
  expect(outcome).toMatchObject({ code: "TIMEOUT", message: expect.stringContaining("asking the engine who it is") });
  expect(dials).toBeGreaterThan(2);
});

test("a version that we don't speak fails at once", async () => {
  expect(await ask({ info: { version: "v0.1.0" } })).toMatchObject({ outcome: { code: "VERSION_MISMATCH" }, dials: 1 });
});
