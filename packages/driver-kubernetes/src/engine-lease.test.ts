import { parseRunnerUrl, type RunnerEvent } from "@anyrunner/core/driver";
import { afterEach, beforeEach, expect, test } from "vitest";

import { createKubernetesDriver } from "./driver.ts";
import { playControllers } from "./fake-controllers.fixture.ts";
import { runningPod, startFakeApiServer, type FakeApiServer } from "./fake-api-server.fixture.ts";
import type { Lease } from "./lease.ts";
import { parseKubernetesTarget } from "./target.ts";
import type { Workload } from "./workload.ts";

const SETS = "/apis/apps/v1/namespaces/builds/statefulsets";
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/builds/leases";
const URL = "kube-image://engine:v1?config=none&ca=none&lease=15m";

let fake: FakeApiServer;
beforeEach(async () => {
  fake = await startFakeApiServer();
  playControllers(fake);
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

const driver = (env = {}) => createKubernetesDriver({ env: { KUBECONFIG: fake.kubeconfig, ...env }, readyBudgetMs: 1000, pollIntervalMs: 1 });
const provision = (url: string, options = {}, env = {}) => driver(env).provision(parseKubernetesTarget(parseRunnerUrl(url)), options);
const set = (name: string) => fake.objects.get(`${SETS}/${name}`) as Workload | undefined;
const lease = (name: string) => fake.objects.get(`${LEASES}/${name}`) as Lease | undefined;
const names = () => [...fake.objects.keys()].map((path) => path.split("/").at(-1));

/** As if nobody had used it for a day. */
function expire(name: string): void {
  const found = lease(name);
  if (found === undefined) throw new Error(`there is no lease ${name}`);
  fake.objects.set(`${LEASES}/${name}`, { ...found, spec: { ...found.spec, renewTime: "2020-01-01T00:00:00.000000Z" } });
}

test("an engine with a lease is made with it, bound to it, and its use renews it", async () => {
  const handle = await provision(URL);
  expect(handle.endpoint.leaseSeconds).toBe(900);
  expect(lease("anyrunner-engine-v1")).toMatchObject({
    metadata: { ownerReferences: [{ kind: "StatefulSet", uid: handle.id }] },
    spec: { leaseDurationSeconds: 900, renewTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) },
  });
  expire("anyrunner-engine-v1");
  expect((await provision(URL)).id).toBe(handle.id);
  expect(Date.parse(lease("anyrunner-engine-v1")?.spec?.renewTime ?? "")).toBeGreaterThan(Date.now() - 60_000);
});

test("an engine whose lease has run out is removed by the next client of whatever engine, with all that belongs to it", async () => {
  await provision(URL);
  expire("anyrunner-engine-v1");
  const events: RunnerEvent[] = [];
  await provision("kube-image://engine:v2?config=none&ca=none", { report: (event: RunnerEvent) => void events.push(event) });
  expect(new Set(names())).toEqual(new Set(["anyrunner-engine-v2"]));
  expect(events).toMatchObject([{ type: "progress", message: 'removing the engine "anyrunner-engine-v1", whose lease has run out' }]);
});

test.each([
  ["that is in use", 'dagger_connected_clients{x="y"} 1', true],
  ["that nobody uses", 'dagger_connected_clients{x="y"} 0', false],
])("a lease that has run out of an engine %s", async (_what, metric, stays) => {
  await provision(URL);
  expire("anyrunner-engine-v1");
  fake.exec = (exec) => {
    exec.stdout(`# metrics\n${metric}\n`);
    exec.exit(0);
  };
  await provision("kube-image://engine:v2?config=none&ca=none");
  expect(set("anyrunner-engine-v1") !== undefined).toBe(stays);
});

test("an engine that can't be asked counts as used", async () => {
  await provision(URL);
  expire("anyrunner-engine-v1");
  fake.exec = (exec) => exec.fail("no shell");
  await provision("kube-image://engine:v2?config=none&ca=none");
  expect(set("anyrunner-engine-v1")).toBeDefined();
});

test("a lease that was renewed meanwhile is not taken away", async () => {
  await provision(URL);
  expire("anyrunner-engine-v1");
  const stale = lease("anyrunner-engine-v1");
  fake.exec = (exec) => {
    fake.objects.set(`${LEASES}/anyrunner-engine-v1`, { ...stale, metadata: { ...stale?.metadata, resourceVersion: "99" } });
    exec.exit(0);
  };
  await provision("kube-image://engine:v2?config=none&ca=none");
  expect(set("anyrunner-engine-v1")).toBeDefined();
});

test("an engine whose lease was taken away is removed and made anew", async () => {
  const first = await provision(URL);
  fake.objects.delete(`${LEASES}/anyrunner-engine-v1`);
  const before = fake.requests.length;
  await provision(URL);
  expect(fake.requests.slice(before)).toContain(`DELETE ${SETS}/anyrunner-engine-v1`);
  expect(lease("anyrunner-engine-v1")).toBeDefined();
  expect(first.endpoint.leaseSeconds).toBe(900);
});

test("who may not see leases makes engines all the same", async () => {
  fake.refuse = ({ url }) => (url?.includes("/leases") ? { status: 403, body: "" } : undefined);
  const events: RunnerEvent[] = [];
  await provision("kube-image://engine:v1?config=none&ca=none", { report: (event: RunnerEvent) => void events.push(event) });
  expect(events).toEqual([]);
});

test("a job's engine belongs to the pod that this is, and to further jobs that share it", async () => {
  for (const name of ["job-1", "job-2"]) fake.pods.set(name, runningPod(name));
  const url = "kube-image://engine:v1?config=none&ca=none&owner=self&name=shared";
  const first = await provision(url, {}, { POD_NAME: "job-1", POD_NAMESPACE: "builds" });
  expect(set("shared")?.metadata.ownerReferences).toMatchObject([{ kind: "Pod", name: "job-1", uid: "uid-job-1" }]);
  expect((await provision(url, {}, { HOSTNAME: "job-2", POD_NAMESPACE: "builds" })).id).toBe(first.id);
  await provision(url, {}, { HOSTNAME: "job-2", POD_NAMESPACE: "builds" });
  expect(set("shared")?.metadata.ownerReferences?.map(({ name }) => name)).toEqual(["job-1", "job-2"]);
});

test("two jobs that join at the same time both become owners", async () => {
  for (const name of ["job-1", "job-2"]) fake.pods.set(name, runningPod(name));
  const url = "kube-image://engine:v1?config=none&ca=none&owner=self&name=shared";
  const first = await provision(url, {}, { POD_NAME: "job-1", POD_NAMESPACE: "builds" });
  let refused = 0;
  fake.refuse = ({ method, url: path }) => {
    if (method !== "PATCH" || path !== `${SETS}/shared` || refused++ > 0) return undefined;
    return { status: 409, body: JSON.stringify({ kind: "Status", message: "the object has been modified", code: 409 }) };
  };
  expect((await provision(url, {}, { POD_NAME: "job-2", POD_NAMESPACE: "builds" })).id).toBe(first.id);
  expect(set("shared")?.metadata.ownerReferences?.map(({ name }) => name)).toEqual(["job-1", "job-2"]);
});

test("an engine without an owner does not get one", async () => {
  fake.pods.set("job-1", runningPod("job-1"));
  await provision("kube-image://engine:v1?config=none&ca=none&name=shared");
  await provision("kube-image://engine:v1?config=none&ca=none&name=shared&owner=job-1");
  expect(set("shared")?.metadata.ownerReferences).toBeUndefined();
});

test("an owner that is no pod of the namespace", async () => {
  await expect(provision(`${URL}&owner=job`)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(provision(`${URL}&owner=self`)).rejects.toMatchObject({ code: "INVALID_OPTION", hint: expect.stringContaining("POD_NAME") });
  await expect(provision(`${URL}&owner=self`, {}, { HOSTNAME: "laptop", POD_NAMESPACE: "builds" })).rejects.toMatchObject({
    code: "NOT_FOUND",
    hint: expect.stringContaining("downward API"),
  });
  const events: RunnerEvent[] = [];
  await provision(`${URL}&owner=self`, { report: (event: RunnerEvent) => void events.push(event) }, { POD_NAME: "job", POD_NAMESPACE: "elsewhere" });
  expect(events).toMatchObject([{ type: "warning", id: "owner-elsewhere" }]);
});

test("a lease of no time is refused", async () => {
  for (const time of ["1s", "0m", "soon", ""])
    expect(() => parseKubernetesTarget(parseRunnerUrl(`kube-image://e:v1?lease=${time}`))).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
});
