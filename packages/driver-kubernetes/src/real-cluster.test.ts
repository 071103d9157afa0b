import { handleOfError, parseRunnerUrl } from "@anyrunner/core/driver";
import { describe, expect, test } from "vitest";

import { createKubernetesDriver } from "./driver.ts";
import type { KubernetesHandle } from "./handle.ts";
import { containerStatus, isRunning } from "./pod.ts";
import { parseKubernetesTarget } from "./target.ts";
import { callCluster, podSpec, runTestPod, untilPod } from "./test-cluster.fixture.ts";
import { kubeconfigWithToken, runInPod } from "./test-exec.fixture.ts";
import { NAMESPACE, skipReason, testEnv } from "./test-place.fixture.ts";

const driver = createKubernetesDriver({ env: testEnv, readyBudgetMs: 0 });
const target = (url: string) => parseKubernetesTarget(parseRunnerUrl(url));
const provision = (url: string) => driver.provision(target(url), {});
async function logText(handle: KubernetesHandle): Promise<string> {
  let text = "";
  for await (const chunk of driver.logs?.(handle, {}) ?? []) text += chunk;
  return text;
}
/** What a cluster tells a moment later. */
async function untilText(read: () => Promise<string>, wanted: string): Promise<void> {
  await expect.poll(read, { timeout: 60_000, interval: 200 }).toContain(wanted);
}
const gone = (name: string) => untilPod(name, (pod) => pod === undefined);

describe.skipIf(skipReason !== undefined)(`real cluster${skipReason === undefined ? "" : ` (${skipReason})`}`, { timeout: 120_000 }, () => {
  test("diagnostics of a relay that died: its exit code and standard error", async () => {
    await using pod = await runTestPod();
    const connection = await driver.connect(await provision(`kube-pod://${pod.name}`), {});
    connection.stream.resume().write("DIE\n");
    expect(await connection.closed).toEqual({ kind: "end" });
    expect(await connection.diagnostics()).toEqual({
      summary: `the pod "${pod.name}" is running`,
      oomKilled: false,
      exitCode: 7,
      lastOutput: "the conformance peer was told to die\n",
    });
  });

  test("a container without an engine's relay is WRONG_SERVER and names the program", async () => {
    await using pod = await runTestPod({ relay: false });
    const { stream, closed } = await driver.connect(await provision(`kube-pod://${pod.name}`), {});
    stream.on("error", () => undefined).resume();
    expect(await closed).toMatchObject({
      kind: "error",
      error: { code: "WRONG_SERVER", message: `the container "engine" of the pod "${pod.name}" has no program "buildctl"` },
    });
  });

  test("a pod that ran out of memory says so, with its exit code", async () => {
    await using pod = await runTestPod({
      command: ["sh", "-c", "echo about to take too much; while [ ! -e /tmp/go ]; do sleep 0.1; done; tail /dev/zero"],
      resources: { limits: { memory: "32Mi" } },
      restartPolicy: "Never",
      relay: false,
    });
    const handle = await provision(`kube-pod://${pod.name}`);
    await runInPod(pod.name, ["touch", "/tmp/go"]);
    await untilPod(pod.name, (found) => found !== undefined && containerStatus(found, "engine")?.state?.terminated !== undefined);
    expect(await driver.inspect?.(handle, {})).toMatchObject({ status: "stopped", exitCode: 137, oomKilled: true });
    await expect(driver.connect(handle, {})).rejects.toMatchObject({
      code: "NOT_RUNNING",
      message: expect.stringContaining("killed for lack of memory"),
      retryable: false,
    });
  });

  test("one that was never reached is named by its refusal: how it ended, and what it said before its restart", async () => {
    await using pod = await runTestPod({
      command: ["sh", "-c", "if [ -e /state/been ]; then echo again; sleep 3600; fi; touch /state/been; echo no loop device; exit 3"],
      relay: false,
      scratch: "/state",
      until: (found) => (containerStatus(found, "engine")?.restartCount ?? 0) > 0,
    });
    await untilPod(pod.name, (found) => found !== undefined && isRunning(found, "engine"));
    const handle = await provision(`kube-pod://${pod.name}`);
    expect(await driver.inspect?.(handle, {})).toMatchObject({ status: "running", exitCode: 3, oomKilled: false, details: { restarts: 1 } });
    await untilText(async () => logText(handle), "no loop device\nagain\n");
  });

  test("one that finds no node: its events", async () => {
    await using pod = await runTestPod({ relay: false, nodeSelector: { "anyrunner-test": "nowhere" }, until: () => true });
    const refused = () => provision(`kube-pod://${pod.name}`).catch((error: unknown) => error);
    expect(await refused()).toMatchObject({ code: "NOT_RUNNING", retryable: true });
    const handle = handleOfError(await refused());
    const state = async () => JSON.stringify((await driver.inspect?.(handle as KubernetesHandle, {}))?.details?.["events"] ?? []);
    await untilText(state, "FailedScheduling");
  });

  test("a pod whose image is missing is IMAGE_PULL_FAILED after one attempt", async () => {
    const name = "anyrunner-test-no-image";
    const path = `/api/v1/namespaces/${NAMESPACE}/pods`;
    const spec = podSpec({ relay: false }) as { readonly containers: readonly object[] };
    await callCluster("POST", path, {
      metadata: { name },
      spec: {
        ...spec,
        volumes: [],
        containers: spec.containers.map((container) => ({ ...container, image: "anyrunner-test-no-such:1", imagePullPolicy: "Never" })),
      },
    });
    try {
      await untilPod(name, (pod) => /ErrImage/.test(pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason ?? ""));
      await expect(provision(`kube-pod://${name}`)).rejects.toMatchObject({ code: "IMAGE_PULL_FAILED", retryable: false });
    } finally {
      await callCluster("DELETE", `${path}/${name}`, { gracePeriodSeconds: 0 }, [404]);
      await gone(name);
    }
  });

  test("of a selector's pods a ready one; when it goes in the middle of a stream that is told, and the next connection reaches another", async () => {
    const labels = { "anyrunner-test": "two" };
    await using first = await runTestPod({ labels });
    await using second = await runTestPod({ labels });
    const handle = await provision("kube-pod://?selector=anyrunner-test=two");
    const [chosen, other] = handle.endpoint.pod === first.name ? [first, second] : [second, first];
    const connection = await driver.connect(handle, {});
    connection.stream.on("error", () => undefined).resume();
    connection.stream.write("ECHO\n");
    await chosen.kill();
    await connection.closed;
    expect(await connection.diagnostics()).toMatchObject({ summary: `the pod "${chosen.name}" is gone` });
    const next = await driver.connect(handle, {});
    next.stream.write("SOURCE 5\n");
    let text = "";
    for await (const chunk of next.stream as AsyncIterable<Buffer>) text += chunk.toString();
    expect(text).toBe("1\n2\n3");
    expect((await provision("kube-pod://?selector=anyrunner-test=two")).endpoint.pod).toBe(other.name);
  });

  test("a service account without a right is told which one; with it, an expired token is told, too", async () => {
    await using pod = await runTestPod();
    const account = `anyrunner-test-${pod.name.slice(-8)}`;
    const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
    await callCluster("POST", accounts, { metadata: { name: account } });
    try {
      const { status } = await callCluster<{ readonly status: { readonly token: string } }>("POST", `${accounts}/${account}/token`, {
        spec: { expirationSeconds: 600 },
      });
      await using restricted = await kubeconfigWithToken(status.token);
      const as = createKubernetesDriver({ env: { KUBECONFIG: restricted.file } });
      const refused: unknown = await as.provision(target(`kube-pod://${pod.name}?namespace=${NAMESPACE}`), {}).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "PERMISSION_DENIED", hint: expect.stringContaining(`--verb=get --resource=pods -n ${NAMESPACE}`) });
      expect(JSON.stringify(refused)).not.toContain(status.token);
      await callCluster("DELETE", `${accounts}/${account}`);
      await expect(as.provision(target(`kube-pod://${pod.name}?namespace=${NAMESPACE}`), {})).rejects.toMatchObject({
        code: expect.stringMatching(/AUTH_FAILED|PERMISSION_DENIED/),
      });
    } finally {
      await callCluster("DELETE", `${accounts}/${account}`, undefined, [404]);
    }
  });
});
