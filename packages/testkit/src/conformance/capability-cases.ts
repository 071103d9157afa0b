import { parseRunnerUrl, RunnerError, type DriverCapability } from "@anyrunner/core";
import { describe, expect, test } from "vitest";

import { digestOf, readText, writeAll } from "./conversation.ts";
import type { DriverSuite } from "./driver-suite.ts";
import { numberLines } from "./number-lines.ts";
import { openTarget } from "./open-target.ts";
import { createBudgetedDriver, withinBudget } from "./within-budget.ts";

export const CAPABILITIES: readonly DriverCapability[] = ["provision", "half-close", "inspect", "logs", "lifecycle", "list"];

/** What a driver may or may not be able to do: tested when declared, shown as absent when not. */
export function testCapabilities(suite: DriverSuite): void {
  const { capabilities } = suite.createDriver();
  const cases: Readonly<Record<DriverCapability, (suite: DriverSuite) => void>> = {
    provision: testCreation,
    "half-close": testHalfClose,
    inspect: testInspect,
    logs: testLogs,
    lifecycle: testLifecycle,
    list: testList,
  };
  for (const capability of CAPABILITIES) {
    const declared = capabilities.includes(capability);
    describe.skipIf(!declared)(`capability ${capability}${declared ? "" : ` (not declared by ${suite.name})`}`, () => {
      cases[capability](suite);
    });
  }
  test("every connection says of half-close what the driver declares", async () => {
    await using open = await openTarget(suite);
    const { stream, closed, halfClose } = await open.connect("ECHO");
    stream.destroy();
    await closed("after its stream was destroyed");
    expect(halfClose).toBe(capabilities.includes("half-close"));
  });
}

function testHalfClose(suite: DriverSuite): void {
  test("an answer that is given only after the client's end arrives whole", async () => {
    await using open = await openTarget(suite);
    const { stream, closed } = await open.connect("HALFCLOSE");
    await writeAll(stream, numberLines(1_000_000));
    stream.end();
    expect((await readText(stream)).trim()).toBe(digestOf(numberLines(1_000_000)).sha256);
    expect((await closed("after the peer had answered and ended")).kind, "`closed` after the peer's end").toBe("end");
    await open.expectNothingLeft();
  });
}

function testCreation(suite: DriverSuite): void {
  test("a readiness check that fails is passed on by the call that started the runner", async () => {
    const far = await suite.target();
    try {
      const driver = createBudgetedDriver(suite);
      const failure = new RunnerError("TIMEOUT", "the engine never answered");
      let asked = false;
      const ready = () => {
        asked = true;
        return Promise.reject(failure);
      };
      const outcome = await driver.provision(await driver.parse(parseRunnerUrl(far.url)), { ready }).catch((error: unknown) => error);
      expect(RunnerError.is(outcome) ? outcome.code : "no error").toBe(asked ? "TIMEOUT" : "no error");
    } finally {
      await far.close();
    }
  });
}

function testInspect(suite: DriverSuite): void {
  test("says running, and something else once the runner was killed", async () => {
    await using open = await openTarget(suite);
    const inspect = async () => (await open.driver.inspect?.(open.handle, {}))?.status;
    expect(await inspect()).toBe("running");
    await open.far.kill();
    expect(await inspect(), "`status` after the runner was killed").toBeOneOf(["stopped", "missing"]);
  });

  test("a runner that is gone is missing, which is no error", async () => {
    const open = await openTarget(suite);
    await open[Symbol.asyncDispose]();
    expect((await open.driver.inspect?.(open.handle, {}))?.status).toBe("missing");
  });
}

function testLogs(suite: DriverSuite): void {
  test("gives the log as text and ends; asked for the last line it gives no more", async () => {
    await using open = await openTarget(suite);
    const read = async (tail?: number) => {
      let text = "";
      for await (const chunk of open.driver.logs?.(open.handle, { tail }) ?? []) text += chunk;
      return text;
    };
    const readInTime = (tail?: number) => withinBudget(suite, "answer", "`logs` without `follow` did not end", read(tail));
    expect(await readInTime()).toContain(open.far.logged ?? "(the target names no logged text)");
    expect((await readInTime(1)).trimEnd().split("\n").length).toBe(1);
    await open.expectNothingLeft();
  });
}

function testLifecycle(suite: DriverSuite): void {
  test("start, stop and destroy succeed twice; destroying what is stopped and stopping what is gone do, too; what isn't owned is not destroyed", async () => {
    await using open = await openTarget(suite);
    const { driver, handle } = open;
    const stop = () => driver.stop?.(handle, { graceMs: 1000 });
    const steps = [() => driver.start?.(handle, {}), stop, stop, () => driver.start?.(handle, {}), () => driver.start?.(handle, {}), stop];
    for (const step of steps) await step();
    if (!handle.owned) {
      const error: unknown = await driver.destroy?.(handle, {}).catch((reason: unknown) => reason);
      expect(RunnerError.is(error) ? error.code : String(error)).toBe("UNSUPPORTED");
      await driver.start?.(handle, {});
      return;
    }
    await driver.destroy?.(handle, {});
    await driver.destroy?.(handle, {});
    await stop();
    await open.expectNothingLeft();
    expect((await driver.inspect?.(handle, {}))?.status, "`status` after `destroy`").toBeOneOf(["missing", undefined]);
  });

  test("a stopped runner refuses connections with a typed error, and takes them again once started", async () => {
    await using open = await openTarget(suite);
    const { driver, handle } = open;
    await driver.stop?.(handle, { graceMs: 1000 });
    const error: unknown = await driver.connect(handle, {}).catch((reason: unknown) => reason);
    expect(RunnerError.is(error) ? error.code : String(error)).toMatch(/^(NOT_RUNNING|CONNECTION_REFUSED|NOT_FOUND)$/);
    await driver.start?.(handle, {});
    const connection = await open.connect("SOURCE 5");
    expect(await readText(connection.stream)).toBe("1\n2\n3");
    connection.stream.destroy();
    await connection.closed("after its stream was destroyed");
  });
}

function testList(suite: DriverSuite): void {
  test("lists what the driver made and owns, nothing else", async () => {
    await using open = await openTarget(suite);
    const { driver, handle } = open;
    const listed = async () => ((await driver.list?.({})) ?? []).filter(({ id }) => id === handle.id);
    expect(await listed()).toHaveLength(handle.owned ? 1 : 0);
    for (const each of (await driver.list?.({})) ?? []) expect(each).toMatchObject({ driver: driver.name, owned: true });
    if (!handle.owned) return;
    await driver.destroy?.(handle, {});
    expect(await listed()).toEqual([]);
  });
}
