import { PassThrough } from "node:stream";

import { describe, expect, test, vi } from "vitest";

import type { ProvisionOptions, RunnerConnection, RunnerDriver } from "./driver.ts";
import { openRunner } from "./open-runner.ts";
import { createRegistry } from "./registry.ts";
import { RunnerError } from "./runner-error.ts";

const handle = { driver: "toy", id: "1", endpoint: {}, owned: false, labels: {} };

function connection(): RunnerConnection {
  return { stream: new PassThrough(), kind: "socket", halfClose: true, closed: Promise.resolve({ kind: "local" }), diagnostics: () => Promise.resolve({}) };
}

function registryOf(behaviour: Partial<RunnerDriver> = {}) {
  const driver: RunnerDriver = {
    specVersion: 1,
    name: "toy",
    schemes: ["toy"],
    capabilities: [],
    options: [{ name: "pin", type: "string", help: "PIN.", secret: true }],
    parse: (url) => ({ driver: "toy", url: url.body }),
    probe: () => Promise.resolve({ available: true }),
    provision: () => Promise.resolve(handle),
    connect: () => Promise.resolve(connection()),
    ...behaviour,
  };
  return createRegistry([{ name: "toy", schemes: ["toy"], origin: "test", load: () => Promise.resolve(driver) }]);
}

describe("where another driver was asked before", () => {
  const registryThat = (provision: RunnerDriver["provision"]) => {
    const driverOf = (name: string, behaviour: Partial<RunnerDriver>): RunnerDriver => ({
      specVersion: 1,
      name,
      schemes: ["any"],
      capabilities: [],
      options: [],
      parse: (url) => ({ driver: name, url: url.body }),
      probe: () => Promise.resolve({ available: true }),
      provision,
      connect: () => Promise.resolve(connection()),
      ...behaviour,
    });
    const drivers = [
      driverOf("down", { probe: () => Promise.resolve({ available: false, code: "CONNECTION_REFUSED", reason: "the daemon is down", hint: "start it" }) }),
      driverOf("absent", { probe: () => Promise.resolve({ available: false, reason: "absent is not installed" }) }),
      driverOf("there", {}),
    ];
    return createRegistry(drivers.map((driver) => ({ name: driver.name, schemes: ["any"], origin: "test", load: () => Promise.resolve(driver) })));
  };

  test("a failure tells why that one wasn't used, but nothing of what isn't installed", async () => {
    const failure = new RunnerError("IMAGE_PULL_FAILED", "no image", { hint: "check the name", details: { image: "x" }, retryable: true });
    await expect(openRunner("any://x", { registry: registryThat(() => Promise.reject(failure)) })).rejects.toMatchObject({
      code: "IMAGE_PULL_FAILED",
      message: "no image",
      hint: "check the name\nor, to use down instead: the daemon is down (start it)",
      retryable: true,
      details: { image: "x", losers: [{ driver: "down" }, { driver: "absent" }] },
    });
  });

  test("an abort stays what it is", async () => {
    const abort = new RunnerError("ABORTED", "interrupted");
    await expect(openRunner("any://x", { registry: registryThat(() => Promise.reject(abort)) })).rejects.toBe(abort);
  });
});

describe("openRunner", () => {
  test("resolves and provisions once; every connect uses the same handle", async () => {
    const calls: unknown[] = [];
    const runner = await openRunner("toy://body?pin=1234", {
      registry: registryOf({
        provision: (target) => {
          calls.push(target);
          return Promise.resolve(handle);
        },
        connect: (given) => {
          calls.push(given);
          return Promise.resolve(connection());
        },
      }),
    });
    expect(runner).toMatchObject({ url: "toy://body?pin=***", handle, losers: [], driver: { name: "toy" } });
    await Promise.all([runner.connect(), runner.connect({ report: () => {} })]);
    expect(calls).toEqual([{ driver: "toy", url: "body" }, handle, handle]);
  });

  test("hands signal, report and readiness check to provision", async () => {
    const controller = new AbortController();
    const events: unknown[] = [];
    const ready = vi.fn(() => Promise.resolve());
    let given: ProvisionOptions = {};
    await openRunner("toy://x", {
      registry: registryOf({
        provision: async (_, provisionOptions) => {
          given = provisionOptions;
          given.report?.({ type: "warning", id: "x", message: "hot" });
          await given.ready?.(handle, {});
          controller.abort();
          return handle;
        },
      }),
      signal: controller.signal,
      report: (event) => void events.push(event),
      ready,
    }).catch(() => {});
    expect([given.signal?.aborted, events, ready.mock.calls]).toEqual([true, [{ type: "warning", id: "x", message: "hot" }], [[handle, {}]]]);
  });

  test("what a driver throws untyped is INTERNAL with its name; what is typed stays", async () => {
    const foreign = new TypeError("undefined is no function");
    await expect(openRunner("toy://x", { registry: registryOf({ provision: () => Promise.reject(foreign) }) })).rejects.toMatchObject({
      code: "INTERNAL",
      cause: foreign,
      driver: "toy",
    });
    const runner = await openRunner("toy://x", {
      registry: registryOf({
        connect: () => {
          throw foreign;
        },
      }),
    });
    await expect(runner.connect()).rejects.toMatchObject({ code: "INTERNAL", cause: foreign, driver: "toy" });
    const own = new RunnerError("NOT_RUNNING", "stopped");
    await expect(openRunner("toy://x", { registry: registryOf({ provision: () => Promise.reject(own) }) })).rejects.toBe(own);
  });

  test("an abort between the steps creates nothing", async () => {
    const controller = new AbortController();
    const provision = () => Promise.reject(new Error("must not be called"));
    const probe = () => {
      controller.abort(new Error("enough"));
      return Promise.resolve({ available: true as const });
    };
    await expect(openRunner("toy://x", { registry: registryOf({ probe, provision }), signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("a connect that fails because its signal was aborted is ABORTED", async () => {
    const runner = await openRunner("toy://x", { registry: registryOf({ connect: () => Promise.reject(new Error("socket closed")) }) });
    await expect(runner.connect({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  });

  test.each([
    ["toy", "INVALID_URL"],
    ["toi://x", "UNKNOWN_SCHEME"],
  ])("%s is %s", async (text, code) => {
    await expect(openRunner(text, { registry: registryOf() })).rejects.toMatchObject({ code });
  });
});
