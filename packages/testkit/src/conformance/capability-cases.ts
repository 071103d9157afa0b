import assert from "node:assert/strict";

import { parseRunnerUrl, RunnerError, type DriverCapability } from "@anyrunner/core";

import { expectCode, expectOneOf } from "./caught.ts";
import type { CaseContext, CaseDraft } from "./conformance-case.ts";
import { digestOf, readText, writeAll } from "./conversation.ts";
import type { DriverSuite } from "./driver-suite.ts";
import { numberLines } from "./number-lines.ts";
import { openTarget } from "./open-target.ts";
import { valueOnce } from "./settled-value.ts";
import { createBudgetedDriver, waitBudgetMs, withinBudget } from "./within-budget.ts";

export const CAPABILITIES: readonly DriverCapability[] = ["provision", "half-close", "inspect", "logs", "lifecycle", "list"];

/** What a driver may or may not be able to do: tested when declared, shown as absent when not. */
export function capabilityCases({ suite }: CaseContext): readonly CaseDraft[] {
  const cases: Readonly<Record<DriverCapability, (suite: DriverSuite) => readonly NamedCase[]>> = {
    provision: creationCases,
    "half-close": halfCloseCases,
    inspect: inspectCases,
    logs: logCases,
    lifecycle: lifecycleCases,
    list: listCases,
  };
  return [
    ...CAPABILITIES.flatMap((capability) => cases[capability](suite).map((one): CaseDraft => ({ ...one, group: `capability ${capability}`, capability }))),
    {
      group: "half-close",
      name: "every connection says of half-close what the driver declares",
      async run() {
        const { capabilities } = suite.createDriver();
        await using open = await openTarget(suite);
        const { stream, closed, halfClose } = await open.connect("ECHO");
        stream.destroy();
        await closed("after its stream was destroyed");
        assert.equal(halfClose, capabilities.includes("half-close"), "`halfClose` of the connection");
      },
    },
  ];
}

type NamedCase = Pick<CaseDraft, "name" | "run">;

function halfCloseCases(suite: DriverSuite): readonly NamedCase[] {
  return [
    {
      name: "an answer that is given only after the client's end arrives whole",
      async run() {
        await using open = await openTarget(suite);
        const { stream, closed } = await open.connect("HALFCLOSE");
        await writeAll(stream, numberLines(1_000_000));
        stream.end();
        assert.equal((await readText(stream)).trim(), digestOf(numberLines(1_000_000)).sha256);
        assert.equal((await closed("after the peer had answered and ended")).kind, "end", "`closed` after the peer's end");
        await open.expectNothingLeft();
      },
    },
  ];
}

function creationCases(suite: DriverSuite): readonly NamedCase[] {
  return [
    {
      name: "a readiness check that fails is passed on by the call that started the runner",
      async run() {
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
          if (asked) expectCode(outcome, "TIMEOUT");
          else assert.ok(!RunnerError.is(outcome), `\`provision\` failed: ${String(outcome)}`);
        } finally {
          await far.close();
        }
      },
    },
  ];
}

function inspectCases(suite: DriverSuite): readonly NamedCase[] {
  return [
    {
      name: "says running, and something else once the runner was killed",
      async run() {
        await using open = await openTarget(suite);
        const inspect = async () => (await open.driver.inspect?.(open.handle, {}))?.status;
        assert.equal(await inspect(), "running");
        await open.far.kill();
        expectOneOf(await inspect(), ["stopped", "missing"], "`status` after the runner was killed");
      },
    },
    {
      name: "a runner that is gone is missing, which is no error",
      async run() {
        const open = await openTarget(suite);
        await open[Symbol.asyncDispose]();
        assert.equal((await open.driver.inspect?.(open.handle, {}))?.status, "missing");
      },
    },
  ];
}

function logCases(suite: DriverSuite): readonly NamedCase[] {
  return [
    {
      name: "gives the log as text and ends; asked for the last line it gives no more",
      async run() {
        await using open = await openTarget(suite);
        const read = async (tail?: number) => {
          let text = "";
          for await (const chunk of open.driver.logs?.(open.handle, { tail }) ?? []) text += chunk;
          return text;
        };
        const readInTime = (tail?: number) => withinBudget(suite, "answer", "`logs` without `follow` did not end", read(tail));
        const { logged } = open.far;
        assert.ok(logged, "the target names no logged text, which a driver with logs needs");
        // A runner that has just been started may not have written it yet.
        const log = await valueOnce(readInTime, (text) => text.includes(logged), waitBudgetMs(suite, "answer"));
        assert.ok(log.includes(logged), `the log lacks "${logged}": ${log.slice(-500)}`);
        assert.equal((await readInTime(1)).trimEnd().split("\n").length, 1, "lines of the log with `tail: 1`");
        await open.expectNothingLeft();
      },
    },
  ];
}

function lifecycleCases(suite: DriverSuite): readonly NamedCase[] {
  // A connection that was closed here may live on at the far end for as long as what is released takes to disappear.
  const patiently = () => ({ graceMs: 1000, drainMs: waitBudgetMs(suite, "release") });
  return [
    {
      name: "start, stop and destroy succeed twice; destroying what is stopped and stopping what is gone do, too; what isn't owned is not destroyed",
      async run() {
        await using open = await openTarget(suite);
        const { driver, handle } = open;
        const stop = () => driver.stop?.(handle, patiently());
        const steps = [() => driver.start?.(handle, {}), stop, stop, () => driver.start?.(handle, {}), () => driver.start?.(handle, {}), stop];
        for (const step of steps) await step();
        if (!handle.owned) {
          const error: unknown = await driver.destroy?.(handle, {}).catch((reason: unknown) => reason);
          expectCode(error, "UNSUPPORTED");
          await driver.start?.(handle, {});
          return;
        }
        await driver.destroy?.(handle, {});
        await driver.destroy?.(handle, {});
        await stop();
        await open.expectNothingLeft();
        expectOneOf((await driver.inspect?.(handle, {}))?.status, ["missing", undefined], "`status` after `destroy`");
      },
    },
    {
      name: "a stopped runner refuses connections with a typed error, and takes them again once started",
      async run() {
        await using open = await openTarget(suite);
        const { driver, handle } = open;
        await driver.stop?.(handle, patiently());
        const error: unknown = await driver.connect(handle, {}).catch((reason: unknown) => reason);
        expectCode(error, "NOT_RUNNING", "CONNECTION_REFUSED", "NOT_FOUND");
        await driver.start?.(handle, {});
        await open.listening();
        const connection = await open.connect("SOURCE 5");
        assert.equal(await readText(connection.stream), "1\n2\n3");
        connection.stream.destroy();
        await connection.closed("after its stream was destroyed");
      },
    },
  ];
}

function listCases(suite: DriverSuite): readonly NamedCase[] {
  return [
    {
      name: "lists what the driver made and owns, nothing else",
      async run() {
        await using open = await openTarget(suite);
        const { driver, handle } = open;
        const listed = async () => ((await driver.list?.({})) ?? []).filter(({ id }) => id === handle.id);
        assert.equal((await listed()).length, handle.owned ? 1 : 0, "how often the runner is listed");
        for (const each of (await driver.list?.({})) ?? []) assert.deepEqual([each.driver, each.owned], [driver.name, true], `what is listed of ${each.id}`);
        if (!handle.owned) return;
        await driver.destroy?.(handle, {});
        assert.deepEqual(await listed(), []);
      },
    },
  ];
}
