import { after, describe, test } from "node:test";

import { driverCases } from "./driver-cases.ts";
import { stubSuite } from "./stub-driver/stub-suite.ts";

const suite = driverCases(stubSuite("stub under node:test"));
void describe(suite.name, () => {
  for (const { group, name, skip, run } of suite.cases) void test(`${group}: ${name}`, { skip, timeout: suite.timeoutMs }, () => run());
  after(() => suite.close());
});
