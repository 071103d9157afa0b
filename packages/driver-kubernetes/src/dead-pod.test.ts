import { handleOfError, parseRunnerUrl, type RunnerHandle } from "@anyrunner/core/driver";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createKubernetesDriver } from "./driver.ts";
import { runningPod, startFakeApiServer, type FakeApiServer } from "./fake-api-server.fixture.ts";
import type { KubernetesHandle } from "./handle.ts";
import type { ContainerStatus, Pod } from "./pod.ts";
import { parseKubernetesTarget } from "./target.ts";

let fake: FakeApiServer;
beforeEach(async () => {
  fake = await startFakeApiServer();
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

const driver = () => createKubernetesDriver({ env: { KUBECONFIG: fake.kubeconfig } });
const target = (url: string) => parseKubernetesTarget(parseRunnerUrl(url));
/** The handle that the refusal to provision it without waiting holds. */
async function dead(url: string): Promise<KubernetesHandle> {
  const refusal = await driver()
    .provision(target(url), { waitMs: 0 })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  return handleOfError(refusal) as RunnerHandle as KubernetesHandle;
}
const inspect = async (url: string) => driver().inspect?.(await dead(url), {});
const EVENTS = "/api/v1/namespaces/builds/events";
const SET = "/apis/apps/v1/namespaces/builds/statefulsets/engine";

function pod(status: NonNullable<Pod["status"]>, spec: Partial<Pod["spec"]> = {}): Pod {
  const running = runningPod("engine-0");
  return { ...running, spec: { ...running.spec, ...spec }, status };
}
const waiting = (status: Partial<ContainerStatus>, phase = "Running"): Pod => pod({ phase, containerStatuses: [{ name: "engine", ...status }] });
const event = (name: string, reason: string, message: string, rest: object = {}) => ({ involvedObject: { name }, type: "Warning", reason, message, ...rest });
async function logText(handle: KubernetesHandle, tail: number): Promise<string> {
  let text = "";
  for await (const chunk of driver().logs?.(handle, { tail }) ?? []) text += chunk;
  return text;
}

describe("a pod that doesn't run is named by the refusal, with all that is known of it", () => {
  test("crash loop: exit code, lack of memory, restarts, its last words", async () => {
    fake.pods.set(
      "engine-0",
      waiting({ state: { waiting: { reason: "CrashLoopBackOff" } }, restartCount: 2, lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } } }),
    );
    expect(await inspect("kube-pod://engine-0")).toMatchObject({
      status: "starting",
      exitCode: 137,
      oomKilled: true,
      details: { restarts: 2, state: expect.stringContaining("killed for lack of memory") },
    });
    expect(await logText(await dead("kube-pod://engine-0"), 5)).toBe("a line of the log\n");
  });

  test("no image, and over for good", async () => {
    fake.pods.set("engine-0", waiting({ state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } } }, "Pending"));
    expect(await inspect("kube-pod://engine-0")).toMatchObject({ status: "starting", details: { state: expect.stringContaining("no such image") } });
    fake.pods.set("engine-0", waiting({ state: { terminated: { exitCode: 3, reason: "Error" } } }, "Failed"));
    expect(await inspect("kube-pod://engine-0")).toMatchObject({ status: "stopped", exitCode: 3, oomKilled: false });
  });

  test("no node, since a claim finds no volume: the failures among the events of both, in their order", async () => {
    const volumes = [{ name: "state", persistentVolumeClaim: { claimName: "state-engine-0" } }];
    fake.pods.set("engine-0", { ...pod({ phase: "Pending" }), spec: { containers: [{ name: "engine" }], volumes } });
    fake.objects.set(EVENTS, {
      items: [
        event("engine-0", "FailedScheduling", "pod has unbound\n  claims", { count: 3, lastTimestamp: "2026-01-01T00:00:03Z" }),
        event("state-engine-0", "FailedBinding", "no storage class is set", { type: "Normal", lastTimestamp: "2026-01-01T00:00:01Z" }),
        event("state-engine-0", "WaitForFirstConsumer", "waiting", { type: "Normal", lastTimestamp: "2026-01-01T00:00:02Z" }),
        event("engine-1", "FailedScheduling", "of another"),
      ],
    });
    expect(await inspect("kube-pod://engine-0")).toMatchObject({
      status: "starting",
      details: {
        events: [
          "FailedBinding: no storage class is set (at 2026-01-01T00:00:01Z)",
          "FailedScheduling: pod has unbound claims (3 times, last at 2026-01-01T00:00:03Z)",
        ],
      },
    });
  });

  test("events that may not be read are no failure", async () => {
    fake.pods.set("engine-0", pod({ phase: "Pending" }));
    const message = 'events is forbidden: User "me" cannot list resource "events" in API group "" in the namespace "builds"';
    fake.refuse = ({ url }) => (url?.includes("/events") ? { status: 403, body: JSON.stringify({ kind: "Status", message, code: 403 }) } : undefined);
    expect(await inspect("kube-pod://engine-0")).toMatchObject({
      status: "starting",
      details: { eventsUnknown: expect.stringContaining("events is forbidden") },
    });
  });

  test("of a selector's pods one that stays", async () => {
    const labels = { app: "engine" };
    const leaving = runningPod("a", { labels });
    fake.pods.set("a", { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } });
    fake.pods.set("b", { ...runningPod("b", { labels }), status: { phase: "Pending" } });
    expect(await dead("kube-pod://?selector=app=engine&container=engine")).toMatchObject({
      id: "uid-b",
      owned: false,
      endpoint: { namespace: "builds", pod: "b", container: "engine", namedContainer: "engine", choice: { kind: "selector" } },
    });
  });

  test("a StatefulSet that may make no pod: its own events", async () => {
    fake.objects.set(SET, {
      metadata: { name: "engine", uid: "uid-engine" },
      spec: { replicas: 1, selector: { matchLabels: { app: "engine" } }, template: { spec: { containers: [{ name: "main" }] } } },
    });
    fake.objects.set(EVENTS, { items: [event("engine", "FailedCreate", "violates PodSecurity")] });
    expect(await dead("kube-pod://sts/engine")).toMatchObject({ id: "uid-engine", endpoint: { pod: "engine-0", container: "main" } });
    expect(await inspect("kube-pod://sts/engine")).toEqual({
      status: "starting",
      details: { namespace: "builds", workload: "engine", state: "has no pod", events: ["FailedCreate: violates PodSecurity"] },
    });
  });
});

describe("the log of a container that was started again", () => {
  const handle = async () => {
    fake.pods.set("engine-0", runningPod("engine-0"));
    const made = await driver().provision(target("kube-pod://engine-0"), {});
    const again = runningPod("engine-0");
    const [status] = again.status?.containerStatuses ?? [];
    fake.pods.set("engine-0", {
      ...again,
      status: { ...again.status, containerStatuses: [{ ...(status as ContainerStatus), restartCount: 1, lastState: { terminated: { exitCode: 1 } } }] },
    });
    return made;
  };
  test.each([
    [4, "three\nfour\nfive\nsix\n"],
    [2, "five\nsix\n"],
    [100, "one\ntwo\nthree\nfour\nfive\nsix\n"],
  ])("its last %i lines begin before the restart, where there are not enough since", async (tail, text) => {
    fake.previousLog = "one\ntwo\nthree\nfour";
    fake.log = "five\nsix\n";
    expect(await logText(await handle(), tail)).toBe(text);
  });

  test("what was before may be gone", async () => {
    fake.refuse = ({ url }) => (url?.includes("previous") ? { status: 400, body: JSON.stringify({ message: "not found", code: 400 }) } : undefined);
    expect(await logText(await handle(), 100)).toBe("a line of the log\n");
  });
});
