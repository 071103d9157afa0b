import { CONFORMANCE_IMAGE_LOG, testDriver } from "@anyrunner/testkit";
import { test } from "vitest";

import { createDockerDriver } from "./driver.ts";
import { runTestContainer, skipReason } from "./test-container.ts";

if (skipReason === undefined) {
  testDriver({
    name: "docker, real daemon",
    createDriver: createDockerDriver,
    entry: new URL("index.ts", import.meta.url).href,
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
} else {
  test.skip(`driver conformance: docker, real daemon (${skipReason})`, () => {});
}
