import { testDriver } from "@anyrunner/testkit/vitest";

import { createEchoDriver } from "./index.ts";
import { makeTestRunner } from "./test-far-end.ts";

testDriver({
  name: "echo",
  createDriver: createEchoDriver,
  entry: new URL("index.ts", import.meta.url).href,
  badUrls: ["echo://", "echo://Not-A-Name", { url: "echo://one?rom=attic", code: "INVALID_OPTION" }],
  absentUrls: ["echo://no-such-runner"],
  target: makeTestRunner,
});
