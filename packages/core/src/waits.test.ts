import { getEventListeners, once } from "node:events";

import { afterEach, describe, expect, test, vi } from "vitest";

import { RunnerError } from "./runner-error.ts";
import { inTime, orAborted, pause, signalWithin, withinBudget } from "./waits.ts";

const never = new Promise<never>(() => {});

afterEach(() => void vi.useRealTimers());

describe("orAborted", () => {
  test("gives what the work gives, and listens no longer", async () => {
    const { signal } = new AbortController();
    expect(await orAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(orAborted(Promise.reject(new Error("broken")), signal)).rejects.toThrow("broken");
    expect(await orAborted(Promise.resolve(2), undefined)).toBe(2);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("rejects when the signal is aborted, and the work's own failure afterwards is nobody's", async () => {
    const controller = new AbortController();
    const work = Promise.withResolvers<never>();
    const waiting = orAborted(work.promise, controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    work.reject(new Error("later"));
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  test("a signal that was aborted before wins over work that is done", async () => {
    await expect(orAborted(Promise.resolve(1), AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
    await expect(orAborted(Promise.reject(new Error("broken")), AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("a signal that is aborted with an error of ours rejects with that", async () => {
    const reason = new RunnerError("TIMEOUT", "too late");
    await expect(orAborted(never, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe("pause", () => {
  test("ends when its time is over", async () => {
    const { signal } = new AbortController();
    await pause(1, signal);
    await pause(1, undefined);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("rejects when the signal is aborted, before or meanwhile, and listens no longer", async () => {
    const reason = new Error("changed my mind");
    await expect(pause(3_600_000, AbortSignal.abort(reason))).rejects.toMatchObject({ code: "ABORTED", cause: reason });
    const controller = new AbortController();
    const waiting = pause(3_600_000, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED", cause: reason });
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });
});

describe("withinBudget", () => {
  test("gives what the work gives, and leaves no timer", async () => {
    vi.useFakeTimers();
    expect(await withinBudget(60_000, Promise.resolve(1))).toBe(1);
    await expect(withinBudget(60_000, Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("gives nothing when the budget is over, and not before; the work's own failure afterwards is nobody's", async () => {
    vi.useFakeTimers();
    const work = Promise.withResolvers<never>();
    let result: unknown = "waiting";
    const waiting = withinBudget(60_000, work.promise).then((value) => (result = value));
    await vi.advanceTimersByTimeAsync(59_999);
    expect(result).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1);
    expect(await waiting).toBeUndefined();
    work.reject(new Error("later"));
  });
});

describe("signalWithin", () => {
  test("is aborted when the budget is over", async () => {
    for (const caller of [undefined, new AbortController().signal]) {
      const signal = signalWithin(1, caller);
      if (!signal.aborted) await once(signal, "abort");
      expect((signal.reason as Error).name).toBe("TimeoutError");
    }
  });

  test("is aborted with its caller, for the caller's reason", () => {
    const controller = new AbortController();
    const signal = signalWithin(60_000, controller.signal);
    expect(signal.aborted).toBe(false);
    const reason = new Error("enough");
    controller.abort(reason);
    expect(signal.reason).toBe(reason);
    expect(signalWithin(60_000, AbortSignal.abort(reason)).reason).toBe(reason);
  });
});

describe("inTime", () => {
  const late = () => new RunnerError("TIMEOUT", "too late");

  test("gives what the work gives, and leaves neither timer nor listener", async () => {
    vi.useFakeTimers();
    const { signal } = new AbortController();
    expect(await inTime({ budgetMs: 60_000, signal, late }, async () => 1)).toBe(1);
    await expect(inTime({ budgetMs: 60_000, signal, late }, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    const throwing = () => {
      throw new Error("at once");
    };
    await expect(inTime({ budgetMs: 60_000, late }, throwing)).rejects.toThrow("at once");
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("when the budget is over, the work is told, and not waited for", async () => {
    vi.useFakeTimers();
    const seen: AbortSignal[] = [];
    const failing = inTime({ budgetMs: 60_000, late }, (signal) => {
      seen.push(signal);
      return never;
    }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(seen[0]?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await failing).toMatchObject({ code: "TIMEOUT", message: "too late" });
    expect(seen[0]?.reason).toBe(await failing);
  });

  test("the caller's abort reaches the work, which isn't waited for; one that came before, too", async () => {
    const controller = new AbortController();
    const seen: AbortSignal[] = [];
    const failing = inTime({ budgetMs: 60_000, signal: controller.signal, late }, (signal) => {
      seen.push(signal);
      return never;
    });
    controller.abort(new Error("enough"));
    await expect(failing).rejects.toMatchObject({ code: "ABORTED" });
    expect(seen[0]?.reason).toBe(controller.signal.reason);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    await expect(inTime({ budgetMs: 60_000, signal: controller.signal, late }, () => never)).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("with a grace, what the work says of an abort within it counts", async () => {
    vi.useFakeTimers();
    const signal = AbortSignal.abort();
    const cleanUp = new RunnerError("ABORTED", "cleaned up");
    await expect(inTime({ budgetMs: 60_000, graceMs: 1000, signal, late }, () => Promise.reject(cleanUp))).rejects.toBe(cleanUp);
    const failing = inTime({ budgetMs: 60_000, graceMs: 1000, signal, late }, () => never).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await failing).toMatchObject({ code: "ABORTED", message: "cancelled by the caller" });
    expect(vi.getTimerCount()).toBe(0);
  });
});
