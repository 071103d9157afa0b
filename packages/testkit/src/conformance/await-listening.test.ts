import { RunnerError, type RunnerDriver } from "@anyrunner/core";
import { expect, test } from "vitest";

import { createListeningCheck } from "./await-listening.ts";
import { openTarget } from "./open-target.ts";
import { createStubDriver } from "./stub-driver/stub-driver.ts";
import { stubSuite } from "./stub-driver/stub-suite.ts";

/** A stub driver that starts its runner, which listens only when it has been asked three times. */
function suiteOfLateRunner(refusal: RunnerError) {
  const base = createStubDriver();
  const asked = { times: 0 };
  const createDriver = (): RunnerDriver => ({
    ...base,
    capabilities: ["half-close", "provision"],
    async provision(target, options) {
      const handle = await base.provision(target as never, options);
      await options.ready?.(handle, options);
      return handle;
    },
    connect: (handle, options) => (++asked.times <= 3 ? Promise.reject(refusal) : base.connect(handle as never, options)),
  });
  return { asked, suite: stubSuite("late", createDriver) };
}

test("a runner that a driver has started is waited for until it takes connections", async () => {
  const { asked, suite } = suiteOfLateRunner(new RunnerError("CONNECTION_REFUSED", "it starts", { retryable: true }));
  await using open = await openTarget(suite);
  expect(asked.times).toBe(4);
  const { stream } = await open.connect("ECHO");
  stream.destroy();
});

test("an error that trying again can't mend is the outcome at once", async () => {
  const { asked, suite } = suiteOfLateRunner(new RunnerError("CONNECTION_REFUSED", "nothing will ever listen"));
  await expect(openTarget(suite)).rejects.toMatchObject({ message: "nothing will ever listen" });
  expect(asked.times).toBe(1);
});

test("cancelling ends the wait", async () => {
  const controller = new AbortController();
  let asked = 0;
  const driver: RunnerDriver = {
    ...createStubDriver(),
    async connect() {
      if (++asked === 3) controller.abort();
      throw new RunnerError("CONNECTION_REFUSED", "it starts", { retryable: true });
    },
  };
  const check = createListeningCheck(stubSuite("never"), driver);
  const handle = { driver: "stub", id: "x", endpoint: {}, owned: false, labels: {} };
  await expect(check(handle, { signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  expect(asked).toBe(3);
});
