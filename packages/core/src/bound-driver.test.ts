import { getEventListeners } from "node:events";
import { PassThrough } from "node:stream";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { boundDriver } from "./bound-driver.ts";
import type { CallOptions, RunnerConnection, RunnerDriver, RunnerEvent, RunnerHandle, RunnerTarget } from "./driver.ts";
import { RunnerError } from "./runner-error.ts";
import { parseRunnerUrl } from "./runner-url.ts";

const target: RunnerTarget = { driver: "foo", url: "foo://x" };
const handle: RunnerHandle = { driver: "foo", id: "x", endpoint: {}, owned: false, labels: {} };
const never = () => new Promise<never>(() => {});
const secret = "s3cret-0123456789abcdef";
const url = parseRunnerUrl(`foo://me:pa55word@x?token=${secret}`);

function driverThat(behaviour: Partial<RunnerDriver>): RunnerDriver {
  const driver: RunnerDriver = {
    specVersion: 1,
    name: "foo",
    schemes: ["foo"],
    capabilities: [],
    options: [{ name: "token", type: "string", help: "TOKEN.", secret: true }],
    parse: () => target,
    probe: async () => ({ available: true }),
    provision: async () => handle,
    connect: never,
    ...behaviour,
  };
  return boundDriver(driver, "anyrunner-driver-foo");
}

function connectionOf(stream: PassThrough): RunnerConnection {
  return { stream, kind: "socket", halfClose: true, closed: never(), diagnostics: async () => ({}) };
}

const failureOf = (work: Promise<unknown> | undefined): Promise<unknown> =>
  (work ?? Promise.resolve()).then(
    (value) => value,
    (error: unknown) => error,
  );

describe("a driver that never answers", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const silent = driverThat({
    parse: never,
    probe: never,
    provision: never,
    connect: never,
    inspect: never,
    start: never,
    stop: never,
    destroy: never,
    list: never,
  });
  test.each<[string, number, () => Promise<unknown> | undefined]>([
    ["parse foo://me:***@x?token=***", 15_000, async () => silent.parse(url)],
    ["probe foo://x", 30_000, () => silent.probe(target, {})],
    ["find foo://x", 60_000, () => silent.provision(target, {})],
    ["connect to x", 60_000, () => silent.connect(handle, {})],
    ["inspect x", 30_000, () => silent.inspect?.(handle, {})],
    ["start x", 3_600_000, () => silent.start?.(handle, {})],
    ["stop x", 600_005, () => silent.stop?.(handle, { graceMs: 3, drainMs: 2 })],
    ["remove x", 3_600_000, () => silent.destroy?.(handle, {})],
    ["list its runners", 60_000, () => silent.list?.({})],
  ])("did not %s within its budget: TIMEOUT, and no timer is left", async (doing, budgetMs, call) => {
    const failing = failureOf(call());
    await vi.advanceTimersByTimeAsync(budgetMs - 1);
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    await vi.advanceTimersByTimeAsync(1);
    // What makes or removes something may still clean up.
    await vi.advanceTimersByTimeAsync(5000);
    expect(await failing).toMatchObject({
      code: "TIMEOUT",
      driver: "foo",
      message: `the driver foo (anyrunner-driver-foo) did not ${doing} within ${budgetMs / 1000} s`,
      hint: expect.stringMatching(/answers/),
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a provision that may create something has time to pull an image", async () => {
    const failing = failureOf(driverThat({ provision: never, capabilities: ["provision"] }).provision(target, {}));
    await vi.advanceTimersByTimeAsync(3_599_999);
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    await vi.advanceTimersByTimeAsync(5001);
    expect(await failing).toMatchObject({ code: "TIMEOUT", message: expect.stringContaining("did not provision foo://x within 3600 s") });
  });

  test("when its budget is over it is told", async () => {
    let seen: AbortSignal | undefined;
    const probe: RunnerDriver["probe"] = (_, { signal }) => {
      seen = signal;
      return never();
    };
    const failing = failureOf(driverThat({ probe }).probe(target, {}));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(seen?.reason).toBe(await failing);
  });

  test("that it is waited for is said after a while, unless it says something itself", async () => {
    const events: RunnerEvent[] = [];
    const report = (event: RunnerEvent) => void events.push(event);
    const { promise, resolve } = Promise.withResolvers<{ readonly available: true }>();
    const probing = driverThat({ probe: () => promise }).probe(target, { report });
    await vi.advanceTimersByTimeAsync(10_000);
    const waiting = { type: "progress", id: "waiting-foo-probe foo://x", message: "waiting for the driver foo to probe foo://x" };
    expect(events).toEqual([waiting]);
    resolve({ available: true });
    await probing;
    expect(events).toEqual([waiting, { ...waiting, done: true }]);

    const own: RunnerEvent = { type: "warning", id: "x", message: "slow" };
    const talking = driverThat({
      start: (_, options) => {
        options.report?.(own);
        return never();
      },
    }).start?.(handle, { report });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(events.slice(2)).toEqual([own]);
    void failureOf(talking);
  });

  test("a runner is called by the name that its endpoint has for people, else by its id", async () => {
    const events: RunnerEvent[] = [];
    const named: RunnerHandle = { ...handle, id: "5d4ae5dad233967d301725ecf26eb15b", endpoint: { name: "my-engine" } };
    void failureOf(silent.stop?.(named, { report: (event) => void events.push(event) }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(events).toMatchObject([{ message: "waiting for the driver foo to stop my-engine" }]);
  });

  test("an abort ends a call that only looks at once, and says what was waited for; no listener is left", async () => {
    const controller = new AbortController();
    const failing = failureOf(silent.probe(target, { signal: controller.signal }));
    controller.abort(new RunnerError("ABORTED", "interrupted"));
    expect(await failing).toMatchObject({ code: "ABORTED", driver: "foo", message: "interrupted while waiting for the driver foo to probe foo://x" });
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    await expect(silent.probe(target, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED", message: /^interrupted while/ });
  });

  test("one that makes or removes something has a while to clean up", async () => {
    const controller = new AbortController();
    const failing = failureOf(silent.destroy?.(handle, { signal: controller.signal }));
    controller.abort();
    await vi.advanceTimersByTimeAsync(4999);
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(await failing).toMatchObject({ code: "ABORTED", message: "interrupted while waiting for the driver foo to remove x" });
  });

  test("an abort for a reason of ours fails with that reason", async () => {
    const reason = new RunnerError("TIMEOUT", "the whole took too long");
    await expect(silent.probe(target, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test("so does one of a log", async () => {
    const controller = new AbortController();
    const stuck = driverThat({ logs: () => ({ [Symbol.asyncIterator]: () => ({ next: never, return: never }) }) });
    const failing = failureOf(Array.fromAsync(stuck.logs?.(handle, { signal: controller.signal }) ?? []));
    controller.abort();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await failing).toMatchObject({ code: "ABORTED", message: "interrupted while waiting for the driver foo to read the log of x" });
  });

  test("what comes too late is closed", async () => {
    const { promise, resolve } = Promise.withResolvers<RunnerConnection>();
    const failing = failureOf(driverThat({ connect: () => promise }).connect(handle, {}));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await failing).toMatchObject({ code: "TIMEOUT" });
    const stream = new PassThrough();
    resolve(connectionOf(stream));
    await vi.advanceTimersByTimeAsync(0);
    expect(stream.destroyed).toBe(true);
  });
});

describe("a driver that answers", () => {
  test("is the same for its users: options, connection and error as they are", async () => {
    const failure = new RunnerError("NOT_RUNNING", "stopped");
    const connection = connectionOf(new PassThrough());
    const options = { signal: new AbortController().signal, report: () => {} };
    const seen: unknown[] = [];
    const good = driverThat({
      connect: async (_, given) => {
        seen.push(given);
        return connection;
      },
      probe: () => Promise.reject(failure),
      async *logs() {
        yield "a line\n";
      },
    });
    expect(await good.connect(handle, options)).toBe(connection);
    expect(Object.keys(seen[0] as CallOptions)).not.toContain("secrets");
    await expect(good.probe(target, {})).rejects.toBe(failure);
    expect(await Array.fromAsync(good.logs?.(handle, {}) ?? [])).toEqual(["a line\n"]);
    expect(good.inspect).toBeUndefined();
    expect({ name: good.name, specVersion: good.specVersion, schemes: good.schemes }).toEqual({ name: "foo", specVersion: 1, schemes: ["foo"] });
  });

  test("an abort that it answers itself is its own", async () => {
    const controller = new AbortController();
    const aborting = failureOf(
      driverThat({
        capabilities: ["provision"],
        provision: (_, { signal }) =>
          new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(new RunnerError("ABORTED", "cleaned up")))),
      }).provision(target, { signal: controller.signal }),
    );
    controller.abort();
    expect(await aborting).toMatchObject({ code: "ABORTED", message: "cleaned up" });
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["a text", "yes"],
    ["an empty object", {}],
    ["a promise of nothing", Promise.resolve()],
  ])("with %s is DRIVER_INVALID, and named", async (_, answer) => {
    const given = (async () => answer) as () => Promise<never>;
    const bad = driverThat({ parse: given, probe: given, provision: given, connect: given, list: given });
    const calls = [bad.probe(target, {}), bad.provision(target, {}), bad.connect(handle, {}), bad.list?.({})];
    if (typeof (await answer) !== "object") calls.push(Promise.resolve(bad.parse(url)) as Promise<never>);
    for (const call of calls) {
      expect(await failureOf(call)).toMatchObject({ code: "DRIVER_INVALID", driver: "foo", message: expect.stringContaining("anyrunner-driver-foo") });
    }
  });
});
