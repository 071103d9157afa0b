import { testDriver } from "@anyrunner/testkit/vitest";

import { createToyDriver } from "./index.ts";
import { makeTestRunner } from "./test-far-end.ts";

testDriver({
  name: "toy",
  createDriver: createToyDriver,
  entry: new URL("index.ts", import.meta.url).href,
  badUrls: ["toy://", "toy://Not-A-Name", "toy://a/b", { url: "toy://one?fiel=x", code: "INVALID_OPTION" }],
  absentUrls: ["toy://one?file=/no/such/inventory.json"],
  target: makeTestRunner,
});
