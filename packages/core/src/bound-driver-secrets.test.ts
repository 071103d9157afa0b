import { once } from "node:events";
import { PassThrough } from "node:stream";
import { inspect } from "node:util";

import { describe, expect, test } from "vitest";

import { boundDriver } from "./bound-driver.ts";
import type { CallOptions, CloseReason, RunnerConnection, RunnerDriver, RunnerEvent, RunnerHandle, RunnerTarget } from "./driver.ts";
import { RunnerError } from "./runner-error.ts";
import { parseRunnerUrl } from "./runner-url.ts";

const secret = "s3cret-0123456789abcdef";
const url = parseRunnerUrl(`foo://me:pa%405word@x?token=${secret}&note=hello`);
const said = `${secret}, pa@5word and pa%405word were refused`;
const secrets = { password: "pa@5word", options: { token: [secret] } };

function leaking(behaviour: Partial<RunnerDriver>): RunnerDriver {
  const driver: RunnerDriver = {
    specVersion: 1,
    name: "foo",
    schemes: ["foo"],
    capabilities: [],
    options: [
      { name: "token", type: "string", help: "TOKEN.", secret: true },
      { name: "note", type: "string", help: "NOTE." },
    ],
    parse: () => ({ driver: "foo", url: "foo://me:***@x" }),
    probe: async () => ({ available: true }),
    provision: async () => ({ driver: "foo", id: "x", endpoint: {}, owned: false, labels: {} }),
    connect: async () => connectionOf({}),
    ...behaviour,
  };
  return boundDriver(driver, "anyrunner-driver-foo");
}

function connectionOf(given: Partial<RunnerConnection>): RunnerConnection {
  return { stream: new PassThrough(), kind: "socket", halfClose: true, closed: new Promise(() => {}), diagnostics: async () => ({}), ...given };
}

const failureOf = (work: Promise<unknown> | undefined): Promise<unknown> => (work ?? Promise.resolve()).then(undefined, (error: unknown) => error);
const visible = (value: unknown) => inspect(value, { depth: 12, maxStringLength: null });
const planted = /s3cret|pa@5|pa%405/;

describe("what a driver says of the secrets of its URL", () => {
  test.each<[string, Error, string]>([
    [
      "its own error",
      new RunnerError("AUTH_FAILED", said, { hint: `renew ${secret}`, details: { token: secret, [secret]: 1 }, retryable: true }),
      "AUTH_FAILED",
    ],
    ["another's error", Object.assign(new Error(said), { code: "EAUTH" }), "INTERNAL"],
    ["a cause", new RunnerError("AUTH_FAILED", "***, *** and *** were refused", { cause: new Error("below", { cause: new Error(said) }) }), "AUTH_FAILED"],
    ["many errors", new RunnerError("AUTH_FAILED", "***, *** and *** were refused", { cause: new AggregateError([new Error(said)]) }), "AUTH_FAILED"],
  ])("in %s is seen by nobody; what else it says is kept", async (_, failure, code) => {
    const seen: unknown[] = [];
    const driver = leaking({
      probe: async (_target, options) => {
        options.report?.({ type: "warning", id: secret, message: said });
        throw failure;
      },
      connect: () => Promise.reject(failure),
    });
    const target = await driver.parse(url);
    const error = await failureOf(driver.probe(target, { report: (event: RunnerEvent) => void seen.push(event) }));
    expect(error).toMatchObject({ message: "***, *** and *** were refused", code });
    expect((error as Error).stack).toContain("bound-driver-secrets.test.ts");
    seen.push(error, await failureOf(driver.connect(await driver.provision(target, {}), {})));
    expect(visible(seen)).not.toMatch(planted);
    if (failure.cause !== undefined) expect((error as Error).cause).toBeInstanceOf(Error);
  });

  test("in answers is seen by nobody", async () => {
    const driver = leaking({
      probe: async () => ({ available: false, reason: said, hint: said, details: { said }, cause: new Error(said) }),
      inspect: async () => ({ status: "running", details: { [secret]: said } }),
      async *logs() {
        yield `first ${secret.slice(0, 5)}`;
        yield `${secret.slice(5)} s3`;
        yield " pa@5wor";
        yield "d end";
      },
      connect: async () =>
        connectionOf({
          closed: Promise.resolve<CloseReason>({ kind: "error", error: new Error(said) }),
          diagnostics: async () => ({ summary: said, lastOutput: said }),
        }),
    });
    const target = await driver.parse(url);
    const handle = await driver.provision(target, {});
    const { closed, diagnostics } = await driver.connect(handle, {});
    const log = await Array.fromAsync(driver.logs?.(handle, {}) ?? []);
    const seen = [await driver.probe(target, {}), await driver.inspect?.(handle, {}), await closed, await diagnostics(), log];
    expect(visible(seen)).not.toMatch(planted);
    expect(visible(seen)).toContain("were refused");
    expect(log.join("")).toBe("first *** s3 *** end");
  });

  test("in the error of a broken stream is seen by nobody; the stream itself is the driver's", async () => {
    const stream = new PassThrough();
    const driver = leaking({ connect: async () => connectionOf({ stream }) });
    const connection = await driver.connect(await driver.provision(await driver.parse(url), {}), {});
    expect(connection.stream).toBe(stream);
    const broken = once(stream, "error");
    stream.destroy(Object.assign(new Error(said), { code: "EPIPE" }));
    const [error] = (await broken) as [unknown];
    expect(error).toMatchObject({ code: "EPIPE", message: "***, *** and *** were refused" });
    expect(visible(error)).not.toMatch(planted);
  });

  test("an error without them stays the same, and a URL without any costs nothing", async () => {
    const failure = new RunnerError("AUTH_FAILED", "no");
    const connection = connectionOf({});
    const quiet = leaking({ probe: () => Promise.reject(failure), connect: async () => connection });
    await expect(quiet.probe(await quiet.parse(url), {})).rejects.toBe(failure);
    expect(await quiet.connect(await quiet.provision(await quiet.parse(parseRunnerUrl("foo://x")), {}), {})).toBe(connection);
  });
});

describe("a target or a handle with a secret in it is refused", () => {
  const holding = (text: string): RunnerHandle => ({ driver: "foo", id: "x", endpoint: { text }, owned: false, labels: {} });

  test.each(["pa@5word", "pa%405word", secret])("%s", async (text) => {
    const target: RunnerTarget = { driver: "foo", url: "foo://x", nested: [{ text: `a ${text}` }] };
    const parsing = leaking({ parse: () => target });
    const seen = [await failureOf((async () => parsing.parse(url))())];
    const provisioning = leaking({ provision: async () => holding(text) });
    seen.push(await failureOf(provisioning.provision(await provisioning.parse(url), {})));
    expect(seen).toMatchObject([
      { code: "DRIVER_INVALID", message: expect.stringContaining("puts a secret of foo://me:***@x?token=***&note=hello into its target") },
      { code: "DRIVER_INVALID", message: expect.stringContaining("into its handle"), hint: expect.stringContaining("secrets") },
    ]);
    expect(visible(seen)).not.toMatch(planted);
  });

  test("what stands in the URL for all to see as well is none, nor is a part of a word", async () => {
    const same = parseRunnerUrl("foo://proxy:proxy@proxy?token=hell&note=hello");
    const target: RunnerTarget = { driver: "foo", url: "foo://proxy:***@proxy", host: "proxy", note: "hello" };
    const driver = leaking({ parse: () => target });
    expect(await driver.parse(same)).toBe(target);
  });
});

describe("a driver gets the secrets of its URL", () => {
  function recording(): { readonly driver: RunnerDriver; readonly calls: Record<string, CallOptions["secrets"]> } {
    const calls: Record<string, CallOptions["secrets"]> = {};
    const hear = (name: string, options: CallOptions) => void (calls[name] = options.secrets);
    const driver = leaking({
      probe: async (_, options) => (hear("probe", options), { available: true }),
      provision: async (_, options) => {
        hear("provision", options);
        const handle = { driver: "foo", id: "x", endpoint: {}, owned: false, labels: {} };
        await options.ready?.(handle, {});
        return handle;
      },
      connect: async (_, options) => (hear("connect", options), connectionOf({})),
      inspect: async (_, options) => (hear("inspect", options), { status: "running" }),
      async *logs(_, options) {
        hear("logs", options);
        yield "";
      },
      start: async (_, options) => hear("start", options),
      stop: async (_, options) => hear("stop", options),
      destroy: async (_, options) => hear("destroy", options),
      list: async (options) => (hear("list", options), []),
    });
    return { driver, calls };
  }

  async function callAll(driver: RunnerDriver, handle: RunnerHandle, options: CallOptions): Promise<void> {
    await driver.connect(handle, options);
    await driver.inspect?.(handle, options);
    await Array.fromAsync(driver.logs?.(handle, options) ?? []);
    await driver.start?.(handle, options);
    await driver.stop?.(handle, options);
    await driver.destroy?.(handle, options);
    await driver.list?.(options);
  }

  test("with each call on the target and handle that came of it, and while the engine is awaited", async () => {
    const { driver, calls } = recording();
    const target = await driver.parse(url);
    await driver.probe(target, {});
    const ready = async (handle: RunnerHandle) => void (await driver.connect(handle, {}));
    const handle = await driver.provision(target, { ready });
    expect(calls).toEqual({ probe: secrets, provision: secrets, connect: secrets });
    await callAll(driver, handle, {});
    const { list, ...others } = calls;
    expect(list).toBeUndefined();
    expect(new Set(Object.values(others))).toEqual(new Set([secrets]));
    expect(Object.keys(others)).toHaveLength(8);
  });

  test("not in a process that has the handle alone, unless the caller passes them", async () => {
    const { driver, calls } = recording();
    const handle = JSON.parse(JSON.stringify(await driver.provision(await driver.parse(url), {}))) as RunnerHandle;
    await callAll(driver, handle, {});
    expect(calls).toMatchObject({ connect: undefined, stop: undefined });
    await callAll(driver, handle, { secrets });
    expect(calls).toMatchObject({ connect: secrets, stop: secrets });
    const telling = leaking({ inspect: () => Promise.reject(new Error(said)) });
    expect(visible(await failureOf(telling.inspect?.(handle, { secrets })))).not.toMatch(planted);
  });
});
