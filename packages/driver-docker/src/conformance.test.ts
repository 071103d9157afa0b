import { CONFORMANCE_IMAGE_LOG } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";

import { createDockerDriver } from "./driver.ts";
import { dockerVersion, runTestContainer, skipReason } from "./test-container.ts";

testDriver({
  name: "docker, real daemon",
  createDriver: createDockerDriver,
  entry: new URL("index.ts", import.meta.url).href,
  skip: skipReason,
  realVersion: dockerVersion,
  badUrls: ["docker-container://", "container+docker://a/b", { url: "docker-container://x?cntext=y", code: "INVALID_OPTION" }],
  absentUrls: [
    "docker-container://anyrunner-test-no-such",
    "docker-container://x?host=unix:///no/such.sock",
    "docker-container://x?host=ssh://nowhere.invalid",
    "docker-container://x?context=no-such",
  ],
  target: async () => {
    const container = await runTestContainer();
    return {
      url: `docker-container://${container.name}`,
      logged: CONFORMANCE_IMAGE_LOG,
      kill: () => container.act("kill"),
      leftovers: () => container.leftovers(),
      close: () => container.remove(),
    };
  },
});
