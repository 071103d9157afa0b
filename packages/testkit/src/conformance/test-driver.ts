import { afterAll, describe } from "vitest";

import { testAbort } from "./abort-cases.ts";
import { CAPABILITIES, testCapabilities } from "./capability-cases.ts";
import { testContract } from "./contract-cases.ts";
import type { DriverSuite } from "./driver-suite.ts";
import { testProvision } from "./provision-cases.ts";
import { testSecrets } from "./secret-cases.ts";
import { testStream } from "./stream-cases.ts";
import { testUrls } from "./url-cases.ts";
import { testBudgetMs } from "./within-budget.ts";

/**
 * Declares the conformance suite of the driver interface, version 1, in the test file that calls it (vitest).
 *
 * The mandatory cases run for every driver and nothing can excuse them. The cases of a capability run when the driver declares
 * it; for one that it doesn't declare the report shows a skipped line that says so.
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
  describe(`driver conformance: ${suite.name}`, { timeout: testBudgetMs(suite) }, () => {
    testContract(suite);
    testUrls(suite);
    testProvision(suite);
    testStream(suite);
    testAbort(suite);
    testSecrets(suite);
    testCapabilities(suite);
    afterAll(() => showUndeclared(suite));
  });
}

/** Said aloud, because nobody reads the names of skipped tests. */
function showUndeclared({ name, createDriver }: DriverSuite): void {
  const { capabilities } = createDriver();
  const undeclared = CAPABILITIES.filter((capability) => !capabilities.includes(capability));
  if (undeclared.length > 0) process.stdout.write(`driver conformance: ${name} does not declare ${undeclared.join(", ")}\n`);
}
