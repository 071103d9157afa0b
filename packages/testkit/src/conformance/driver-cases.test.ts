import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { driverCases } from "./driver-cases.ts";
import { createStubDriver } from "./stub-driver/stub-driver.ts";
import { stubSuite } from "./stub-driver/stub-suite.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "conformance-report-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const HALF_CLOSE = "an answer that is given only after the client's end arrives whole";

describe("what can be excused", () => {
  test.each([
    ["a mandatory case", { "probe finds what is there": "it never does" }, /"probe finds what is there" is mandatory/],
    ["a capability that is declared", { "half-close": "not today" }, /declares "half-close"/],
    ["what doesn't exist", { "half-closing": "not today" }, /no capability and no case "half-closing"/],
    ["something without a reason", { logs: " " }, /"logs" has no reason/],
  ])("not %s", (_, unsupported, message) => {
    expect(() => driverCases({ ...stubSuite("stub"), unsupported })).toThrow(message);
  });

  test("a case of a declared capability, and a capability that isn't declared", () => {
    const { cases } = driverCases({ ...stubSuite("stub"), unsupported: { [HALF_CLOSE]: "the double can't", logs: "a socket has none" } });
    const skips = new Map(cases.map(({ name, capability, skip }) => [capability === "logs" ? "logs" : name, skip]));
    expect(skips.get(HALF_CLOSE)).toBe("the double can't");
    expect(skips.get("logs")).toBe("a socket has none");
    expect(cases.filter(({ capability, skip }) => capability === undefined && skip !== undefined)).toEqual([]);
  });
});

describe("a suite that shows nothing", () => {
  const bare = () => ({ ...stubSuite("stub", () => ({ ...createStubDriver(), capabilities: [] })), badUrls: [], absentUrls: [] });

  test("can't be made: what is mandatory is in every suite, and is run", () => {
    const mandatory = driverCases(bare()).cases.filter(({ capability }) => capability === undefined);
    expect([...new Set(mandatory.map(({ group }) => group))]).toEqual([
      "contract",
      "urls",
      "provision",
      "stream",
      "runner that dies",
      "abort",
      "secrets",
      "half-close",
    ]);
    expect(mandatory.filter(({ skip }) => skip !== undefined)).toEqual([]);
    expect(mandatory.length).toBeGreaterThan(30);
  });

  test.each(["", " "])("can't be left out for the reason %j", (skip) => {
    expect(() => driverCases({ ...stubSuite("stub"), skip })).toThrow(/^skip of the suite "stub" has no reason$/);
  });

  test.each([
    ["at least one bad URL is given", [], /badUrls is empty/],
    ["it claims the schemes of its target and of its bad URLs", ["stub://", "other://x"], /doesn't claim other:\/\//],
  ])("fails by its bad URLs: %s", async (wanted, badUrls, message) => {
    const { cases, close } = driverCases({ ...bare(), badUrls });
    await expect(cases.find(({ name }) => name === wanted)?.run()).rejects.toThrow(message);
    await close();
  });
});

test("cases run one after the other, however they are started", async () => {
  let targets = 0;
  let most = 0;
  const suite = stubSuite("stub");
  const counted = async () => {
    most = Math.max(most, ++targets);
    const target = await suite.target();
    return { ...target, close: () => target.close().then(() => void targets--) };
  };
  const { cases, close } = driverCases({ ...suite, target: counted });
  const chosen = cases.filter(({ group }) => ["urls", "provision"].includes(group));
  await Promise.all(chosen.map(({ run }) => run()));
  await close();
  // One that a group shares, and one that a case kills.
  expect({ targets, most }).toEqual({ targets: 0, most: 2 });
});

describe("the report", () => {
  const runSome = async (name: string) => {
    const { cases, close } = driverCases({
      ...stubSuite(name, () => ({ ...createStubDriver(), specVersion: 1, options: [{ name: "x", type: "string", help: "" }] })),
      reportFolder: folder,
    });
    for (const { group, run } of cases) if (group === "contract") await run().catch(() => {});
    await close();
  };

  test("says of each case how it went, of each skip why, and the versions", async () => {
    await runSome("Stub, a double");
    expect(await readdir(folder)).toEqual(["stub-a-double.json", "stub-a-double.md"]);
    const report = JSON.parse(await readFile(join(folder, "stub-a-double.json"), "utf8")) as Record<string, unknown>;
    expect(report).toMatchObject({
      driver: { name: "stub", package: "@anyrunner/testkit", specVersion: 1, schemes: ["stub"], capabilities: ["half-close"] },
      against: { kind: "double", schemes: ["stub"] },
      versions: { core: expect.stringMatching(/^\d/), testkit: expect.stringMatching(/^\d/), node: process.version },
      counts: { passed: 3, failed: 1 },
    });
    expect(report["cases"]).toContainEqual(
      expect.objectContaining({
        name: expect.stringContaining("every option has a help text"),
        state: "failed",
        reason: expect.stringMatching(/^options without help/),
      }),
    );
    expect(report["cases"]).toContainEqual(expect.objectContaining({ capability: "logs", state: "skipped", reason: "not declared by Stub, a double" }));
    const page = await readFile(join(folder, "stub-a-double.md"), "utf8");
    expect(page).toContain("| logs | not declared | skipped: not declared by Stub, a double |");
  });

  test("is the same for the same outcome", async () => {
    await runSome("stub");
    const first = await readFile(join(folder, "stub.json"), "utf8");
    await runSome("stub");
    expect(await readFile(join(folder, "stub.json"), "utf8")).toBe(first);
  });

  test("of a suite that can't run here has the reason in every case", async () => {
    const { cases, close } = driverCases({
      ...stubSuite("stub"),
      skip: "no such daemon",
      realVersion: () => Promise.reject(new Error("not asked")),
      reportFolder: folder,
    });
    await close();
    const report = JSON.parse(await readFile(join(folder, "stub.json"), "utf8")) as { readonly counts: object; readonly against: object };
    expect(report.counts).toEqual({ passed: 0, failed: 0, skipped: cases.length, "not run": 0 });
    expect(report.against).toEqual({ kind: "real", schemes: [] });
  });
});
