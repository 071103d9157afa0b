import { afterAll, describe, test } from "vitest";

import { driverCases, type ConformanceCase } from "../conformance/driver-cases.ts";
import type { DriverSuite } from "../conformance/driver-suite.ts";
import { shownFailure } from "./shown-failure.ts";

export type { ConformanceTarget, DriverSuite } from "../conformance/driver-suite.ts";

/**
 * Declares the conformance suite of the driver interface, version 1, in the test file that calls it (vitest). Other runners of tests
 * use `driverCases`. What is skipped is named together with its reason.
 *
 * @example
 * testDriver({
 *   name: "unix",
 *   createDriver: () => createUnixDriver(),
 *   entry: new URL("index.ts", import.meta.url).href,
 *   badUrls: ["unix://", { url: "unix:///run/x.sock?mode=1", code: "INVALID_OPTION" }],
 *   absentUrls: ["unix:///no/such/socket"],
 *   target: async () => {
 *     const server = await startConformanceServer({ path });
 *     return { url: `unix://${path}`, kill: server.kill, close: server.kill, leftovers: async () => server.connectionCount() };
 *   },
 * });
 */
export function testDriver(suite: DriverSuite): void {
  const { name, cases, timeoutMs, close } = driverCases(suite);
  if (suite.skip !== undefined) {
    // Where all tests are skipped, vitest calls no hook.
    describe(`driver conformance: ${name}`, async () => {
      test.skip(`all ${cases.length} cases (${suite.skip})`, () => {});
      await close();
      showSkips(name, cases);
    });
    return;
  }
  describe(`driver conformance: ${name}`, { timeout: timeoutMs }, () => {
    for (const [group, members] of groups(cases)) {
      describe(group, () => {
        for (const one of members) {
          if (one.skip === undefined) test(one.name, () => runShown(one));
          else test.skip(`${one.name} (${one.skip})`, () => {});
        }
      });
    }
    afterAll(async () => {
      await close();
      showSkips(name, cases);
    }, timeoutMs);
  });
}

async function runShown({ run }: ConformanceCase): Promise<void> {
  try {
    await run();
  } catch (error) {
    throw shownFailure(error);
  }
}

function groups(cases: readonly ConformanceCase[]): ReadonlyMap<string, readonly ConformanceCase[]> {
  return Map.groupBy(cases, ({ group }) => group);
}

/** Said aloud, because nobody reads the names of skipped tests. */
function showSkips(name: string, cases: readonly ConformanceCase[]): void {
  const skipped = cases.filter(({ skip }) => skip !== undefined);
  for (const [reason, those] of Map.groupBy(skipped, ({ skip }) => skip)) {
    const capabilities = [...new Set(those.map(({ capability, name: caseName }) => capability ?? caseName))];
    const what = those.length === cases.length ? "everything" : capabilities.join(", ");
    process.stdout.write(`driver conformance: ${name} skips ${what}: ${reason}\n`);
  }
}
