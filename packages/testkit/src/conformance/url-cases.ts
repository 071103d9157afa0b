import assert from "node:assert/strict";

import { parseRunnerUrl, serializeRunnerUrl, type ErrorCode, type ProbeResult } from "@anyrunner/core";

import { caught, expectCode } from "./caught.ts";
import type { CaseContext, CaseDraft } from "./conformance-case.ts";
import { createBudgetedDriver } from "./within-budget.ts";

const group = "urls";

/** What `parse` and `probe` say about URLs. */
export function urlCases({ suite, slot }: CaseContext): readonly CaseDraft[] {
  const shared = () =>
    slot.share(
      group,
      () => suite.target(),
      (far) => far.close(),
    );
  const driver = createBudgetedDriver(suite);
  const bad = suite.badUrls.map((one) => (typeof one === "string" ? { url: one, code: "INVALID_URL" as const } : one));
  return [
    {
      group,
      name: "at least one bad URL is given",
      async run() {
        assert.ok(suite.badUrls.length > 0, "badUrls is empty");
      },
    },
    ...bad.map((one): CaseDraft => ({ group, name: `${one.url} is refused with ${one.code}`, run: () => expectRefusal(one) })),
    {
      group,
      name: "an unknown parameter is refused with INVALID_OPTION and a hint",
      async run() {
        const url = parseRunnerUrl((await shared()).url);
        const error = await caught(async () => driver.parse({ ...url, params: [...url.params, { name: "no-such-parameter", value: "1" }] }));
        assert.ok(expectCode(error, "INVALID_OPTION").hint, "the error has no hint");
      },
    },
    {
      group,
      name: "parsing twice gives the same plain data",
      async run() {
        const { url } = await shared();
        const first = await driver.parse(parseRunnerUrl(url));
        const second = await driver.parse(parseRunnerUrl(serializeRunnerUrl(parseRunnerUrl(url))));
        assert.deepEqual(second, first);
        assert.deepEqual(JSON.parse(JSON.stringify(first)), first, "a target is plain JSON");
        assert.equal(first.driver, driver.name, "`driver` of the target");
      },
    },
    {
      group,
      name: "probe finds what is there",
      async run() {
        const target = await driver.parse(parseRunnerUrl((await shared()).url));
        const result = await driver.probe(target, {});
        assert.ok(result.available, `probe says of a runner that is there: ${reasonOf(result)}`);
      },
    },
    ...(suite.absentUrls ?? []).map((url): CaseDraft => ({
      group,
      name: `probe reports, instead of throwing, that ${url} is not there`,
      async run() {
        const result = await driver.probe(await driver.parse(parseRunnerUrl(url)), {});
        assert.ok(!result.available, "probe says that it is there");
        assert.match(result.reason, /./, "the reason is empty");
      },
    })),
    {
      group,
      name: "probe of a runner that was killed answers",
      async run() {
        const dead = await suite.target();
        try {
          const target = await driver.parse(parseRunnerUrl(dead.url));
          await dead.kill();
          assert.equal(typeof (await driver.probe(target, {})).available, "boolean");
        } finally {
          await dead.close();
        }
      },
    },
  ];

  async function expectRefusal({ url, code }: { readonly url: string; readonly code: ErrorCode }): Promise<void> {
    expectCode(await caught(async () => driver.parse(parseRunnerUrl(url))), code);
  }
}

function reasonOf(result: ProbeResult): string {
  return result.available ? "" : result.reason;
}
