import { describe, expect, test } from "vitest";

import { formatSelector } from "./label-selector.ts";
import { runningPod } from "./fake-api-server.fixture.ts";
import { describePod, podNotRunning, type ContainerStatus, type Pod } from "./pod.ts";

const pod = (status: Partial<ContainerStatus>, phase = "Running", change: object = {}): Pod => {
  const running = runningPod("engine-0");
  return { ...running, ...change, status: { phase, conditions: [{ type: "Ready", status: "False" }], containerStatuses: [{ name: "engine", ...status }] } };
};

describe("state", () => {
  test.each<[string, Pod, string, object]>([
    [
      "out of memory",
      pod({ state: { waiting: { reason: "CrashLoopBackOff" } }, restartCount: 2, lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } } }),
      'is Running: its container "engine" waits (CrashLoopBackOff), restarted 2 times, last with exit code 137 (killed for lack of memory)',
      { code: "NOT_RUNNING", retryable: true, hint: expect.stringContaining("more memory") },
    ],
    [
      "failing again and again",
      pod({ state: { waiting: { reason: "CrashLoopBackOff" } }, restartCount: 9 }),
      'is Running: its container "engine" waits (CrashLoopBackOff), restarted 9 times',
      { code: "NOT_RUNNING", retryable: false, hint: expect.stringContaining("--previous") },
    ],
    [
      "over",
      pod({ state: { terminated: { exitCode: 1, reason: "Error", message: "a\nno loop device" } } }, "Failed"),
      'is Failed: its container "engine" ended with exit code 1: no loop device',
      { code: "NOT_RUNNING", retryable: false },
    ],
    [
      "on its way",
      pod({ state: { waiting: { reason: "ContainerCreating" } } }, "Pending"),
      'is Pending: its container "engine" waits (ContainerCreating)',
      { code: "NOT_RUNNING", retryable: true },
    ],
    [
      "without its image",
      pod({ state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } } }, "Pending"),
      'is Pending: its container "engine" waits (ImagePullBackOff: no such image)',
      { code: "IMAGE_PULL_FAILED", retryable: false },
    ],
    [
      "evicted",
      { ...runningPod("engine-0"), status: { phase: "Failed", reason: "Evicted", message: "The node was low on memory" } },
      "is Failed (Evicted: The node was low on memory)",
      { code: "NOT_RUNNING", retryable: false },
    ],
    [
      "unschedulable",
      {
        ...runningPod("engine-0"),
        status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes are available" }] },
      },
      "is Pending (Unschedulable: 0/1 nodes are available)",
      { code: "NOT_RUNNING", retryable: true, hint: expect.stringContaining("kubectl describe") },
    ],
    [
      "waiting for a volume",
      {
        ...runningPod("engine-0"),
        status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", message: "pod has unbound immediate PersistentVolumeClaims" }] },
      },
      "is Pending (pod has unbound immediate PersistentVolumeClaims)",
      { code: "NOT_RUNNING", retryable: true, hint: expect.stringContaining("storage-class=") },
    ],
  ])("a pod that is %s", (_name, value, words, error) => {
    expect(describePod(value, "engine")).toBe(words);
    expect(podNotRunning(value, "engine")).toMatchObject({ message: `the pod "engine-0" ${words}`, ...error });
  });
});

test("a workload's selector becomes a query", () => {
  expect(
    formatSelector({
      matchLabels: { app: "engine", tier: "x" },
      matchExpressions: [
        { key: "a", operator: "In", values: ["1", "2"] },
        { key: "b", operator: "NotIn", values: ["3"] },
        { key: "c", operator: "Exists" },
        { key: "d", operator: "DoesNotExist" },
      ],
    }),
  ).toBe("app=engine,tier=x,a in (1,2),b notin (3),c,!d");
});
