import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { startFakeApiServer, type FakeApiServer } from "./fake-api-server.fixture.ts";
import type { KubernetesHandle } from "./handle.ts";
import { createLeaseKeeper } from "./lease-keeper.ts";
import { testSource } from "./test-place.fixture.ts";

const LEASE = "/apis/coordination.k8s.io/v1/namespaces/builds/leases/e";

let fake: FakeApiServer;
beforeEach(async () => {
  fake = await startFakeApiServer();
  fake.objects.set(LEASE, { metadata: { name: "e" }, spec: {} });
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(async () => {
  vi.useRealTimers();
  await fake[Symbol.asyncDispose]();
});

const handle = (leaseSeconds?: number): KubernetesHandle => ({
  driver: "kubernetes",
  id: "1",
  endpoint: {
    cluster: { kind: "kubeconfig", files: [fake.kubeconfig], context: "fake" },
    namespace: "builds",
    pod: "e-0",
    container: "engine",
    choice: { kind: "workload", resource: "statefulsets", name: "e", sameNode: false, key: "" },
    ...(leaseSeconds !== undefined && { leaseSeconds }),
  },
  owned: true,
  labels: {},
});
const renewals = () => fake.requests.filter((line) => line.startsWith("PATCH")).length;

test("a lease is renewed three times in its duration while anybody holds it, once for all", async () => {
  const keeper = createLeaseKeeper();
  const letGo = [1, 2].map(() => keeper.hold(handle(900), testSource, {}));
  vi.advanceTimersByTime(299_000);
  expect(renewals()).toBe(0);
  vi.advanceTimersByTime(1000);
  await vi.waitFor(() => expect(renewals()).toBe(1), { timeout: 30_000 });
  letGo[0]?.();
  vi.advanceTimersByTime(300_000);
  await vi.waitFor(() => expect(renewals()).toBe(2), { timeout: 30_000 });
  letGo[1]?.();
  expect(vi.getTimerCount()).toBe(0);
});

test("an engine without a lease has none kept", () => {
  createLeaseKeeper().hold(handle(), testSource, {});
  expect(vi.getTimerCount()).toBe(0);
});

test("a lease that is gone is told", async () => {
  fake.objects.clear();
  const report = vi.fn();
  createLeaseKeeper().hold(handle(900), testSource, { report });
  vi.advanceTimersByTime(300_000);
  await vi.waitFor(() => expect(report).toHaveBeenCalledWith(expect.objectContaining({ id: "lease-e", message: expect.stringContaining("it is gone") })), {
    timeout: 30_000,
  });
});
