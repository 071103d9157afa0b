import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";

import { beforeAll, expect, test } from "vitest";

import { BROKEN_DRIVERS } from "../conformance/stub-driver/broken-drivers.ts";

/** Runs in a vitest of its own the tests that must fail, and prints the names and messages of those that did, and what nobody caught. */
const RUN = `
import { startVitest } from "vitest/node";
const [root, testNamePattern] = process.argv.slice(1);
const failed = [];
const collect = { onTestCaseResult: (test) => { if (test.result().state === "failed") failed.push(test.fullName + "\\n" + test.result().errors.map(({ message }) => message).join("\\n")); } };
const vitest = await startVitest("test", [], {
  watch: false, config: false, root, testNamePattern, include: ["stub-driver/broken-drivers.fixture.ts"],
  reporters: [collect], dangerouslyIgnoreUnhandledErrors: true,
});
await vitest?.close();
const uncaught = (vitest?.state.getUnhandledErrors() ?? []).map((error) => String(error.stack ?? error));
process.stdout.write("\\n" + JSON.stringify({ failed, uncaught }), () => process.exit(0));
`;

const HEAVY = { name: "loads an SDK at once", noticedBy: ["importing the package"] };
const DEFECTS = [...Object.entries(BROKEN_DRIVERS).map(([name, { noticedBy }]) => ({ name, noticedBy })), HEAVY];

const conformance = resolve(import.meta.dirname, "../conformance");
interface Outcome {
  readonly failed: readonly string[];
  readonly uncaught: readonly string[];
}
let failed: readonly string[];
let uncaught: readonly string[];
beforeAll(async () => {
  const pattern = DEFECTS.map(({ name, noticedBy }) => `driver conformance: ${name} .*(${noticedBy.join("|")})`).join("|");
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", RUN, conformance, pattern], {
    cwd: conformance,
    maxBuffer: 1 << 24,
  });
  ({ failed, uncaught } = JSON.parse(stdout.slice(stdout.lastIndexOf("\n") + 1)) as Outcome);
});

test.each(DEFECTS)("the suite notices a driver that $name", ({ name, noticedBy }) => {
  const mine = failed.filter((title) => title.includes(`driver conformance: ${name} `)).join("\n");
  for (const title of noticedBy) expect(mine).toContain(title);
});

test("the report says what was waited for, not that a test timed out", () => {
  // Its budgets are so small that a machine that stands still may have another wait fail before that one, in one case or the other.
  const texts = failed.filter((text) => text.includes("never tells that a connection is over"));
  expect(texts).toContainEqual(expect.stringMatching(/\n`closed` did not resolve after .* within 0\.\d+ s$/));
  expect(failed.join("\n")).not.toContain("timed out");
});

test("a failure leaves no promise behind that nobody waits for", () => {
  expect(uncaught).toEqual([]);
});
