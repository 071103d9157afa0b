import { parseRunnerUrl, serializeRunnerUrl } from "@anyrunner/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { caught, expectTypedError } from "./caught.ts";
import type { ConformanceTarget, DriverSuite } from "./driver-suite.ts";
import { createBudgetedDriver, testBudgetMs } from "./within-budget.ts";

/** What `parse` and `probe` say about URLs. */
export function testUrls(suite: DriverSuite): void {
  describe("urls", () => {
    let far: ConformanceTarget;
    beforeAll(async () => {
      far = await suite.target();
    }, testBudgetMs(suite));
    afterAll(async () => {
      await far?.close();
    });
    const driver = createBudgetedDriver(suite);

    test("at least one bad URL is given", () => {
      expect(suite.badUrls.length).toBeGreaterThan(0);
    });

    test.each(suite.badUrls.map((bad) => (typeof bad === "string" ? { url: bad, code: "INVALID_URL" as const } : bad)))(
      "$url is refused with $code",
      async ({ url, code }) => {
        const error = await caught(async () => driver.parse(parseRunnerUrl(url)));
        expectTypedError(error);
        expect(error).toMatchObject({ code });
      },
    );

    test("an unknown parameter is refused with INVALID_OPTION and a hint", async () => {
      const url = parseRunnerUrl(far.url);
      const error = await caught(async () => driver.parse({ ...url, params: [...url.params, { name: "no-such-parameter", value: "1" }] }));
      expect(error).toMatchObject({ code: "INVALID_OPTION", hint: expect.stringMatching(/./) });
    });

    test("parsing twice gives the same plain data", async () => {
      const first = await driver.parse(parseRunnerUrl(far.url));
      const second = await driver.parse(parseRunnerUrl(serializeRunnerUrl(parseRunnerUrl(far.url))));
      expect(second).toEqual(first);
      expect(JSON.parse(JSON.stringify(first))).toEqual(first);
      expect(first.driver).toBe(driver.name);
    });

    test("probe finds what is there", async () => {
      const target = await driver.parse(parseRunnerUrl(far.url));
      expect(await driver.probe(target, {})).toMatchObject({ available: true });
    });

    test.each(suite.absentUrls ?? [])("probe reports, instead of throwing, that %s is not there", async (url) => {
      const result = await driver.probe(await driver.parse(parseRunnerUrl(url)), {});
      expect(result).toMatchObject({ available: false, reason: expect.stringMatching(/./) });
    });

    test("probe of a runner that was killed answers", async () => {
      const dead = await suite.target();
      try {
        const target = await driver.parse(parseRunnerUrl(dead.url));
        await dead.kill();
        expect(typeof (await driver.probe(target, {})).available).toBe("boolean");
      } finally {
        await dead.close();
      }
    });
  });
}
