import { mkdtempSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { driverCases } from "../conformance/driver-cases.ts";
import { stubSuite } from "../conformance/stub-driver/stub-suite.ts";
import { testDriver } from "./test-driver.ts";

const reportFolder = mkdtempSync(join(tmpdir(), "conformance-vitest-"));
afterAll(() => rm(reportFolder, { recursive: true, force: true }));

testDriver({ ...stubSuite("stub driver"), reportFolder });

test("vitest has run every case that isn't skipped: calling testDriver is a test that asserts", async () => {
  const { cases } = driverCases(stubSuite("stub driver"));
  const skipped = cases.filter(({ skip }) => skip !== undefined).length;
  const { counts } = JSON.parse(await readFile(join(reportFolder, "stub-driver.json"), "utf8")) as { readonly counts: object };
  expect(counts).toEqual({ passed: cases.length - skipped, failed: 0, skipped, "not run": 0 });
});
