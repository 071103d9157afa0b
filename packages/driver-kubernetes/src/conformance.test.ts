import { CONFORMANCE_IMAGE_LOG } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";
import { vi } from "vitest";

import { clusterDriver, clusterVersion, runTestSet } from "./test-cluster.fixture.ts";
import { skipReason } from "./test-place.fixture.ts";

// What lies between this process and the pod when a stream is destroyed, up to 128 MiB each, has to be read on a busy machine.
vi.setConfig({ testTimeout: 120_000 });
testDriver({
  name: "kubernetes, real cluster",
  createDriver: await clusterDriver(),
  entry: new URL("index.ts", import.meta.url).href,
  skip: skipReason,
  realVersion: clusterVersion,
  badUrls: ["kube-pod://", "kube-pod://a/b/c", "kube-pod://Pod", { url: "kube-pod://x?namespce=y", code: "INVALID_OPTION" }],
  absentUrls: [
    "kube-pod://anyrunner-test-no-such",
    "kube-pod://sts/anyrunner-test-no-such",
    "kube-pod://?selector=anyrunner-test=none",
    "kube-pod://x?context=no-such",
  ],
  releaseBudgetMs: 90_000,
  // Six sockets between this process and the program, each with buffers that the kernel may let grow to 32 MiB.
  inFlightLimitBytes: 128 * 1024 * 1024,
  target: async () => {
    const pod = await runTestSet();
    return {
      url: `kube-pod://sts/${pod.name}`,
      logged: CONFORMANCE_IMAGE_LOG,
      kill: () => pod.kill(),
      leftovers: () => pod.leftovers(),
      close: () => pod.remove(),
    };
  },
});
