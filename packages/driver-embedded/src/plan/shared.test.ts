import { describe, expect, test } from "vitest";

import type { Call } from "./call.ts";
import { createInFlight, shared } from "./shared.ts";

const callOf = (signal = new AbortController().signal): Call => ({ signal });

describe("shared", () => {
  test("runs once for callers at the same time and after", async () => {
    let runs = 0;
    const lazy = shared(async () => ++runs);
    expect(await Promise.all([lazy(callOf()), lazy(callOf())])).toEqual([1, 1]);
    expect(await lazy(callOf())).toBe(1);
  });

  test("forgets a failure", async () => {
    let runs = 0;
    const lazy = shared(async () => {
      if (++runs === 1) throw new Error("first");
      return runs;
    });
    await expect(lazy(callOf())).rejects.toThrow("first");
    expect(await lazy(callOf())).toBe(2);
  });

  test("one caller that leaves does not end the work of the other; the last one does", async () => {
    const first = new AbortController();
    const second = new AbortController();
    let aborted = false;
    const lazy = shared(
      (call) =>
        new Promise<number>((_, reject) => {
          call.signal.addEventListener("abort", () => {
            aborted = true;
            reject(new Error("ended"));
          });
        }),
    );
    const one = lazy(callOf(first.signal));
    const two = lazy(callOf(second.signal));
    first.abort();
    await expect(one).rejects.toMatchObject({ code: "ABORTED" });
    expect(aborted).toBe(false);
    second.abort();
    await expect(two).rejects.toMatchObject({ code: "ABORTED" });
    expect(aborted).toBe(true);
  });

  test("whoever comes after everyone left starts anew", async () => {
    const controller = new AbortController();
    let runs = 0;
    const lazy = shared(async (call) => {
      if (++runs > 1) return runs;
      await new Promise((_, reject) => call.signal.addEventListener("abort", () => reject(new Error("ended"))));
      return 0;
    });
    const one = lazy(callOf(controller.signal));
    controller.abort();
    await expect(one).rejects.toMatchObject({ code: "ABORTED" });
    expect(await lazy(callOf())).toBe(2);
  });
});

test("equal keys in flight run once, and again when asked again", async () => {
  const inFlight = createInFlight<number>();
  let runs = 0;
  const work = async () => ++runs;
  expect(await Promise.all([inFlight("a", callOf(), work), inFlight("a", callOf(), work), inFlight("b", callOf(), work)])).toEqual([1, 1, 2]);
  expect(await inFlight("a", callOf(), work)).toBe(3);
});
