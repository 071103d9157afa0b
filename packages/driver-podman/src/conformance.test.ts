import { CONFORMANCE_IMAGE_LOG, ensureConformanceEngineImage } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";

import { createContainerCliDriver } from "./driver.ts";
import { createSite, podmanEnv, podmanImages, podmanVersion, skipReason } from "./test-podman.ts";

testDriver({
  name: "podman image, real Podman",
  createDriver: () => createContainerCliDriver("podman", { env: podmanEnv }),
  entry: new URL("index.ts", import.meta.url).href,
  skip: skipReason,
  realVersion: podmanVersion,
  badUrls: [
    "podman-image://",
    "podman-container://",
    "container+podman://a/b",
    "image+podman://Upper/Case",
    { url: "podman-container://x?cntext=y", code: "INVALID_OPTION" },
    { url: "podman-image://x?pull=sometimes", code: "INVALID_OPTION" },
    { url: "podman-image://x:1?connection=", code: "INVALID_OPTION" },
  ],
  absentUrls: ["podman-container://anyrunner-test-no-such", "podman-image://x?connection=no-such", "podman-container://x?connection=no-such"],
  target: async () => {
    const secret = "engine-5ecret-variable";
    const site = createSite();
    const image = await ensureConformanceEngineImage({ store: podmanImages });
    return {
      url: `podman-image://${image}?container=${site.name}&network=none&env=TOKEN=${secret}`,
      logged: CONFORMANCE_IMAGE_LOG,
      secrets: [secret],
      kill: () => site.kill(),
      leftovers: () => site.leftovers(),
      close: () => site.remove(),
    };
  },
});
