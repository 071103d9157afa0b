import { parseRunnerUrl, type RunnerHandle } from "@anyrunner/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { readDigest } from "./conversation.ts";
import type { DriverSuite } from "./driver-suite.ts";
import { openTarget, startConversation, type OpenTarget } from "./open-target.ts";
import { createBudgetedDriver, testBudgetMs } from "./within-budget.ts";

/** The handle: one runner has one id, and its handle is data that another process can use. */
export function testProvision(suite: DriverSuite): void {
  describe("provision", () => {
    let open: OpenTarget;
    beforeAll(async () => {
      open = await openTarget(suite);
    }, testBudgetMs(suite));
    afterAll(async () => {
      await open?.[Symbol.asyncDispose]();
    });

    test("twice, and by two callers at once, gives one id", async () => {
      const other = createBudgetedDriver(suite);
      const [second, third, fourth] = await Promise.all([
        open.driver.provision(open.target, {}),
        open.driver.provision(open.target, {}),
        other.provision(await other.parse(parseRunnerUrl(open.far.url)), {}),
      ]);
      expect(second).toEqual(open.handle);
      expect([second.id, third.id, fourth.id]).toEqual([open.handle.id, open.handle.id, open.handle.id]);
    });

    test("gives a handle of this driver that is plain JSON", () => {
      expect(open.handle.driver).toBe(open.driver.name);
      expect(open.handle.id).not.toBe("");
      expect(JSON.parse(JSON.stringify(open.handle))).toEqual(open.handle);
    });

    test("owns only what it could have made", () => {
      expect(open.handle.owned && !open.driver.capabilities.includes("provision")).toBe(false);
    });

    test("a handle that went through JSON connects, with a driver that never saw it", async () => {
      const handle = JSON.parse(JSON.stringify(open.handle)) as RunnerHandle;
      const { stream, closed } = startConversation(suite, await createBudgetedDriver(suite).connect(handle, {}), "SOURCE 3");
      expect((await readDigest(stream)).byteCount).toBe(3);
      stream.destroy();
      await closed("after its stream was destroyed");
    });
  });
}
