import { CONFORMANCE_IMAGE_LOG, ensureConformanceEngineImage } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";

import { createDockerDriver } from "./driver.ts";
import { createEngineSite, dockerVersion, engineSkipReason } from "./test-container.ts";

testDriver({
  name: "docker image, real daemon",
  createDriver: createDockerDriver,
  entry: new URL("index.ts", import.meta.url).href,
  skip: engineSkipReason,
  realVersion: dockerVersion,
  badUrls: [
    "docker-image://",
    "image+docker://Upper/Case",
    "docker-image://a/b@sha256:1",
    { url: "docker-image://x?pull=sometimes", code: "INVALID_OPTION" },
    { url: "docker-image://x:1?version=auto", code: "INVALID_OPTION" },
    { url: "docker-image://x?context=y&host=tcp://h:1", code: "INVALID_OPTION" },
  ],
  absentUrls: ["docker-image://x?host=unix:///no/such.sock", "docker-image://x?context=no-such"],
  target: async () => {
    const secret = "engine-5ecret-variable";
    const site = createEngineSite();
    const image = await ensureConformanceEngineImage();
    return {
      url: `docker-image://${image}?container=${site.name}&network=none&env=TOKEN=${secret}`,
      logged: CONFORMANCE_IMAGE_LOG,
      secrets: [secret],
      kill: () => site.kill(),
      leftovers: () => site.leftovers(),
      close: () => site.remove(),
    };
  },
});
