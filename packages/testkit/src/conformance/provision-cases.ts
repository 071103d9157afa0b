import assert from "node:assert/strict";

import { parseRunnerUrl, type RunnerHandle } from "@anyrunner/core";

import type { CaseContext, CaseDraft } from "./conformance-case.ts";
import { readDigest } from "./conversation.ts";
import { shareOpenTarget, startConversation } from "./open-target.ts";
import { createBudgetedDriver } from "./within-budget.ts";

const group = "provision";

/** The handle: one runner has one id, and its handle is data that another process can use. */
export function provisionCases(context: CaseContext): readonly CaseDraft[] {
  const { suite } = context;
  const shared = shareOpenTarget(context, group);
  return [
    {
      group,
      name: "twice, and by two callers at once, gives one id",
      async run() {
        const open = await shared();
        const other = createBudgetedDriver(suite);
        const [second, third, fourth] = await Promise.all([
          open.driver.provision(open.target, {}),
          open.driver.provision(open.target, {}),
          other.provision(await other.parse(parseRunnerUrl(open.far.url)), {}),
        ]);
        assert.deepEqual(second, open.handle);
        assert.deepEqual([second.id, third.id, fourth.id], [open.handle.id, open.handle.id, open.handle.id]);
      },
    },
    {
      group,
      name: "gives a handle of this driver that is plain JSON",
      async run() {
        const { handle, driver } = await shared();
        assert.equal(handle.driver, driver.name, "`driver` of the handle");
        assert.notEqual(handle.id, "", "`id` of the handle");
        assert.deepEqual(JSON.parse(JSON.stringify(handle)), handle);
      },
    },
    {
      group,
      name: "owns only what it could have made",
      async run() {
        const { handle, driver } = await shared();
        assert.ok(!handle.owned || driver.capabilities.includes("provision"), 'the handle is owned, but the driver doesn\'t declare "provision"');
      },
    },
    {
      group,
      name: "a handle that went through JSON connects, with a driver that never saw it",
      async run() {
        const open = await shared();
        const other = createBudgetedDriver(suite);
        // Whoever keeps a handle knows the URL, too, if it holds a secret.
        await other.parse(parseRunnerUrl(open.far.url));
        const handle = JSON.parse(JSON.stringify(open.handle)) as RunnerHandle;
        const { stream, closed } = startConversation(suite, await other.connect(handle, {}), "SOURCE 3");
        assert.equal((await readDigest(stream)).byteCount, 3);
        stream.destroy();
        await closed("after its stream was destroyed");
      },
    },
  ];
}
