import { randomUUID } from "node:crypto";

import { CONFORMANCE_IMAGE_LOG } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";
import { vi } from "vitest";

import { callCluster, clusterDriver, clusterVersion, removeSet } from "./test-cluster.fixture.ts";
import { countPrograms } from "./test-exec.fixture.ts";
import { NAMESPACE, skipReason as noCluster } from "./test-place.fixture.ts";

/** An engine's image whose `buildctl` is the conformance peer, on the cluster's nodes. */
const image = process.env["ANYRUNNER_TEST_KUBE_ENGINE_IMAGE"];
const skipReason = noCluster ?? (image === undefined ? "ANYRUNNER_TEST_KUBE_ENGINE_IMAGE names no image" : undefined);

vi.setConfig({ testTimeout: 120_000 });
testDriver({
  name: "kubernetes image, real cluster",
  createDriver: await clusterDriver(),
  entry: new URL("index.ts", import.meta.url).href,
  skip: skipReason,
  realVersion: clusterVersion,
  badUrls: [
    "kube-image://",
    "kube-image://Upper/Case",
    { url: "kube-image://x?pull=sometimes", code: "INVALID_OPTION" },
    { url: "kube-image://x?storage=much", code: "INVALID_OPTION" },
    { url: "kube-image://x?claim=a&snapshot=b", code: "INVALID_OPTION" },
  ],
  absentUrls: ["kube-image://x?context=no-such"],
  releaseBudgetMs: 90_000,
  inFlightLimitBytes: 128 * 1024 * 1024,
  target: () => {
    const name = `anyrunner-test-${randomUUID().slice(0, 8)}`;
    const secret = "engine-5ecret-variable";
    return Promise.resolve({
      url: `kube-image://${image ?? ""}?name=${name}&storage=none&pull=never&config=none&ca=none&env=TOKEN=${secret}`,
      logged: CONFORMANCE_IMAGE_LOG,
      secrets: [secret],
      kill: () => removeSet(name),
      leftovers: () => countPrograms(`${name}-0`),
      async close() {
        await removeSet(name);
        await callCluster("DELETE", `/api/v1/namespaces/${NAMESPACE}/secrets/${name}`, undefined, [404]);
      },
    });
  },
});
