import { RunnerError } from "@anyrunner/core";
import { describe, expect, test } from "vitest";

import { retryTransient, type Clock } from "./retry.ts";

/** Time that passes only by sleeping. */
function fakeClock(): Clock & { readonly slept: number[] } {
  let now = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    async sleep(ms) {
      slept.push(ms);
      now += ms;
    },
  };
}

const transient = () => new RunnerError("CONNECTION_LOST", "still starting", { retryable: true, hint: "wait" });

describe("retryTransient", () => {
  test("surfaces a permanent failure after one attempt, unchanged", async () => {
    const clock = fakeClock();
    const failure = new RunnerError("NOT_FOUND", "no such container");
    let attempts = 0;
    const outcome = retryTransient(
      async () => {
        attempts++;
        throw failure;
      },
      { budgetMs: 60_000, what: "connecting", clock },
    );
    await expect(outcome).rejects.toBe(failure);
    expect(attempts).toBe(1);
    expect(clock.slept).toEqual([]);
  });

  test.each([
    [61_000, 15_000],
    [59_000, 60_000],
  ])("a far end that has been running for %i ms has a budget of %i ms", async (runningForMs, budgetMs) => {
    const clock = fakeClock();
    const failure = new RunnerError("CONNECTION_LOST", "no engine", { retryable: true, details: { runningForMs } });
    const outcome = retryTransient(() => Promise.reject(failure), { budgetMs: 60_000, settledBudgetMs: 15_000, what: "connecting", clock });
    await expect(outcome).rejects.toMatchObject({ code: "TIMEOUT", message: expect.stringContaining(`within ${budgetMs / 1000} s`) });
    expect(clock.now()).toBeLessThanOrEqual(budgetMs);
    expect(clock.now()).toBeGreaterThan(budgetMs - 1500);
  });

  test("treats what is no RunnerError as permanent", async () => {
    let attempts = 0;
    const outcome = retryTransient(
      async () => {
        attempts++;
        throw new TypeError("defect");
      },
      { budgetMs: 60_000, what: "connecting", clock: fakeClock() },
    );
    await expect(outcome).rejects.toThrow(TypeError);
    expect(attempts).toBe(1);
  });

  test("tries transient failures again with growing pauses and reports each", async () => {
    const clock = fakeClock();
    const reported: number[] = [];
    let attempts = 0;
    const result = await retryTransient(
      async () => {
        attempts++;
        if (attempts < 7) throw transient();
        return "ready";
      },
      { budgetMs: 60_000, what: "connecting", clock, report: (event) => event.type === "retry" && reported.push(event.attempt) },
    );
    expect(result).toBe("ready");
    expect(clock.slept).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(reported).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("gives up when the budget is spent, with the last reason", async () => {
    const clock = fakeClock();
    const outcome = retryTransient(
      async () => {
        throw transient();
      },
      { budgetMs: 3000, what: "connecting to unix:///x", clock },
    );
    await expect(outcome).rejects.toMatchObject({
      code: "TIMEOUT",
      message: expect.stringContaining("still starting"),
      hint: "wait",
      cause: { code: "CONNECTION_LOST" },
    });
    expect(clock.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(3000);
  });

  test("an abort while waiting rejects with ABORTED", async () => {
    const controller = new AbortController();
    const outcome = retryTransient(
      async () => {
        throw transient();
      },
      {
        budgetMs: 60_000,
        what: "connecting",
        signal: controller.signal,
        clock: {
          now: () => 0,
          sleep: async (_, signal) => {
            controller.abort();
            signal?.throwIfAborted();
          },
        },
      },
    );
    await expect(outcome).rejects.toMatchObject({ code: "ABORTED" });
  });
});
