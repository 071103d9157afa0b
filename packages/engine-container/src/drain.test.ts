import type { RunnerEvent } from "@anyrunner/core";
import { describe, expect, test } from "vitest";

import { drainEngine, type DrainClock, type DrainedEngine } from "./drain.ts";

type Count = number | undefined | "gone";

function engineWith(counts: readonly Count[]) {
  const calls: string[] = [];
  let turn = 0;
  const engine: DrainedEngine = {
    driver: "docker",
    name: "e",
    async countSessions() {
      calls.push("count");
      return counts[Math.min(turn++, counts.length - 1)];
    },
    async mark() {
      calls.push("mark");
      return async () => void calls.push("lift");
    },
  };
  let now = 0;
  const clock: DrainClock = {
    now: () => now,
    async sleep(ms) {
      now += ms;
    },
  };
  const events: RunnerEvent[] = [];
  const drain = (drainMs?: number) =>
    drainEngine(engine, { drainMs, clock, report: (event) => void events.push(event), thenStop: async () => void calls.push("stop") });
  return { calls, events, drain };
}

describe("a drain", () => {
  test("marks the engine, waits until nobody uses it, stops it, and takes the mark away", async () => {
    const { calls, events, drain } = engineWith([2, 2, 1, 0]);
    await drain();
    expect(calls).toEqual(["mark", "count", "count", "count", "count", "stop", "lift"]);
    expect(events.map((event) => (event.type === "progress" ? event.message : ""))).toEqual([
      'waiting for 2 sessions on the engine "e"',
      'waiting for 1 session on the engine "e" (2 s)',
      'waiting for the sessions of the engine "e"',
    ]);
  });

  test("says nothing where there is nothing to wait for", async () => {
    const { events, drain } = engineWith([0]);
    await drain();
    expect(events).toEqual([]);
  });

  test("gives up after its budget, and lets sessions in again", async () => {
    const { calls, events, drain } = engineWith([1]);
    await expect(drain(60_000)).rejects.toMatchObject({ code: "TIMEOUT", details: { sessions: 1 }, message: expect.stringContaining("after 60 s") });
    expect(calls.slice(-2)).toEqual(["count", "lift"]);
    // At its begin, and as a sign of life.
    expect(events).toHaveLength(3);
  });

  test.each<[string, Count]>([
    ["in use", 1],
    ["that can't say", undefined],
  ])("without patience leaves an engine %s as it is", async (_, count) => {
    const { calls, drain } = engineWith([count]);
    await expect(drain(0)).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(calls).toEqual(["count"]);
  });

  test("without patience looks again behind the mark", async () => {
    const { calls, drain } = engineWith([0, 1]);
    await expect(drain(0)).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(calls).toEqual(["count", "mark", "count", "lift"]);
  });

  test("of an engine that ends meanwhile is over", async () => {
    const { calls, drain } = engineWith([1, "gone"]);
    await drain();
    expect(calls.slice(-2)).toEqual(["stop", "lift"]);
  });
});
