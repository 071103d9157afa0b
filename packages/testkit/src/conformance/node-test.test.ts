import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { expect, test } from "vitest";

import { driverCases } from "./driver-cases.ts";
import { stubSuite } from "./stub-driver/stub-suite.ts";

test("the suite runs under node:test, in a process that has no vitest", () => {
  const file = join(import.meta.dirname, "node-test.fixture.ts");
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, VITEST: undefined };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--test", "--test-reporter=tap", file], { env, encoding: "utf8" });
  expect(status, `${stdout}${stderr}`).toBe(0);
  const { cases } = driverCases(stubSuite("stub"));
  const skipped = cases.filter(({ skip }) => skip !== undefined).length;
  expect(stdout).toContain(`# pass ${cases.length - skipped}\n`);
  expect(stdout).toContain(`# skipped ${skipped}\n`);
});

test("nothing that the package exports, but its own entry for it, loads vitest", () => {
  const program = `
    import { registerHooks } from "node:module";
    registerHooks({ load(url, context, next) { if (url.includes("/vitest/")) console.log(url); return next(url, context); } });
    await import(${JSON.stringify(join(import.meta.dirname, "../index.ts"))});`;
  expect(spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" }).stdout).toBe("");
});
