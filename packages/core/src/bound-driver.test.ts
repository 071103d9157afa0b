import { PassThrough } from "node:stream";
import { inspect } from "node:util";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { boundDriver } from "./bound-driver.ts";
import type { RunnerConnection, RunnerDriver, RunnerEvent, RunnerHandle } from "./driver.ts";
import { RunnerError } from "./runner-error.ts";
import { parseRunnerUrl } from "./runner-url.ts";

const target = { driver: "foo", url: "foo://x" };
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
  test.each<[string, () => Promise<unknown> | undefined]>([
    ["parse", async () => silent.parse(url)],
    ["probe", () => silent.probe(target, {})],
    ["provision", () => silent.provision(target, {})],
    ["connect", () => silent.connect(handle, {})],
    ["inspect", () => silent.inspect?.(handle, {})],
    ["start", () => silent.start?.(handle, {})],
    ["stop", () => silent.stop?.(handle, { graceMs: 1, drainMs: 0 })],
    ["destroy", () => silent.destroy?.(handle, {})],
    ["list", () => silent.list?.({})],
  ])("%s ends in a TIMEOUT that names it, and leaves no timer", async (name, call) => {
    const failing = failureOf(call());
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(await failing).toMatchObject({
      code: "TIMEOUT",
      driver: "foo",
      message: expect.stringContaining(`the driver foo (anyrunner-driver-foo) did not answer ${name}`),
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an abort ends the call, after the driver had time to clean up", async () => {
    const controller = new AbortController();
    const failing = failureOf(silent.probe(target, { signal: controller.signal }));
    controller.abort();
    await vi.advanceTimersByTimeAsync(5000);
    expect(await failing).toMatchObject({ code: "ABORTED" });
  });

  test("so does one of a log", async () => {
    const controller = new AbortController();
    const stuck = driverThat({ logs: () => ({ [Symbol.asyncIterator]: () => ({ next: never, return: never }) }) });
    const failing = failureOf(Array.fromAsync(stuck.logs?.(handle, { signal: controller.signal }) ?? []));
    controller.abort();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await failing).toMatchObject({ code: "ABORTED" });
  });

  test("what comes too late is closed", async () => {
    const { promise, resolve } = Promise.withResolvers<RunnerConnection>();
    const failing = failureOf(driverThat({ connect: () => promise }).connect(handle, {}));
    await vi.advanceTimersByTimeAsync(120_000);
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
    expect(seen[0]).toBe(options);
    await expect(good.probe(target, {})).rejects.toBe(failure);
    expect(await Array.fromAsync(good.logs?.(handle, {}) ?? [])).toEqual(["a line\n"]);
    expect(good.inspect).toBeUndefined();
    expect({ name: good.name, specVersion: good.specVersion, schemes: good.schemes }).toEqual({ name: "foo", specVersion: 1, schemes: ["foo"] });
  });

  test("an abort that it answers itself is its own", async () => {
    const controller = new AbortController();
    const aborting = failureOf(
      driverThat({
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

describe("a driver that says its secret", () => {
  const said = `${secret} and pa55word were refused`;
  const report = (events: unknown[]) => (event: RunnerEvent) => void events.push(event);

  test.each<[string, Error, string]>([
    [
      "its own error",
      new RunnerError("AUTH_FAILED", said, { hint: `renew ${secret}`, details: { token: secret, [secret]: 1 }, retryable: true }),
      "AUTH_FAILED",
    ],
    ["another's error", new Error(said), ""],
    ["a cause", new RunnerError("AUTH_FAILED", "*** and *** were refused", { cause: new Error(said) }), "AUTH_FAILED"],
  ])("in %s: nobody sees it", async (_, failure, code) => {
    const seen: unknown[] = [];
    const leaking = driverThat({
      probe: async (_target, options) => {
        options.report?.({ type: "warning", id: secret, message: said });
        throw failure;
      },
      connect: () => Promise.reject(failure),
    });
    const parsed = await leaking.parse(url);
    const error = await failureOf(leaking.probe(parsed, { report: report(seen) }));
    expect(error).toMatchObject({ message: "*** and *** were refused", ...(code !== "" && { code }) });
    seen.push(error, await failureOf(leaking.connect(await leaking.provision(parsed, {}), {})));
    expect(inspect(seen, { depth: 9 })).not.toMatch(/s3cret|pa55word/);
  });

  test("in the answer that it isn't available: nobody sees it", async () => {
    const leaking = driverThat({ probe: async () => ({ available: false, reason: said, hint: said, cause: new Error(said) }) });
    expect(inspect(await leaking.probe(await leaking.parse(url), {}), { depth: 9 })).not.toMatch(/s3cret|pa55word/);
  });

  test("an error without it stays the same, as do texts that only look like one", async () => {
    const failure = new RunnerError("AUTH_FAILED", "no");
    const quiet = driverThat({ probe: () => Promise.reject(failure) });
    await expect(quiet.probe(await quiet.parse(url), {})).rejects.toBe(failure);
    const image = driverThat({ probe: async () => ({ available: false, reason: "v1@sha256:00 is gone" }) });
    expect(await image.probe(await image.parse(parseRunnerUrl("foo://engine:v1@sha256:00")), {})).toMatchObject({ reason: "v1@sha256:00 is gone" });
  });
});
