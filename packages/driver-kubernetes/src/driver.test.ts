import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { parseRunnerUrl, type RunnerEvent } from "@anyrunner/core/driver";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createKubernetesDriver, type KubernetesSettings } from "./driver.ts";
import { runningPod, startFakeApiServer, type FakeApiServer } from "./fake-api-server.fixture.ts";
import type { Pod } from "./pod.ts";
import { parseKubernetesTarget } from "./target.ts";

let fake: FakeApiServer;
beforeEach(async () => {
  fake = await startFakeApiServer();
  fake.pods.set("engine-0", runningPod("engine-0"));
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

const driver = (settings: KubernetesSettings = {}) => createKubernetesDriver({ env: { KUBECONFIG: fake.kubeconfig }, ...settings });
const target = (url: string) => parseKubernetesTarget(parseRunnerUrl(url));
const provision = (url: string, settings?: KubernetesSettings) => driver(settings).provision(target(url), {});
const probe = (url: string, settings?: KubernetesSettings) => driver(settings).probe(target(url), {});

describe("refusals of the API server", () => {
  const status = (code: number, message: string) => ({ status: code, body: JSON.stringify({ kind: "Status", status: "Failure", message, code }) });
  const FORBIDDEN =
    'pods "engine-0" is forbidden: User "system:serviceaccount:ci:job" cannot create resource "pods/exec" in API group "" in the namespace "builds"';

  test.each<[string, { status: number; body: string }, object]>([
    ["401", status(401, "Unauthorized"), { code: "AUTH_FAILED", retryable: false }],
    [
      "403",
      status(403, FORBIDDEN),
      {
        code: "PERMISSION_DENIED",
        retryable: false,
        message: expect.stringContaining(FORBIDDEN),
        hint: expect.stringContaining(
          "--verb=create --resource=pods/exec -n builds && kubectl create rolebinding anyrunner --role=anyrunner --serviceaccount=ci:job -n builds",
        ),
      },
    ],
    ["400", status(400, "container x is not valid for pod engine-0"), { code: "INVALID_OPTION", retryable: false }],
    ["429", status(429, "too many requests"), { code: "CONNECTION_LOST", retryable: true }],
    ["500 of a fresh node", status(500, "error dialing backend: remote error: tls: internal error"), { code: "CONNECTION_LOST", retryable: true }],
    [
      "503 with a page of a proxy",
      { status: 503, body: "<html>…" },
      { code: "CONNECTION_LOST", retryable: true, message: expect.stringContaining("status 503") },
    ],
    ["200 to an upgrade", { status: 200, body: "hello" }, { code: "COMMAND_FAILED" }],
  ])("an exec that is answered with %s", async (_name, refusal, expected) => {
    const handle = await provision("kube-pod://engine-0");
    fake.refuse = (request) => (request.url?.includes("/exec") ? refusal : undefined);
    await expect(driver().connect(handle, {})).rejects.toMatchObject({ ...expected, hint: expect.stringMatching(/./), driver: "kubernetes" });
    expect(fake.requests.filter((request) => request.includes("/exec"))).toHaveLength(1);
  });

  test("a pod that may not be read", async () => {
    fake.refuse = () => status(403, 'pods "engine-0" is forbidden: User "me" cannot get resource "pods" in API group "" in the namespace "builds"');
    expect(await probe("kube-pod://engine-0")).toMatchObject({
      available: false,
      code: "PERMISSION_DENIED",
      hint: expect.stringContaining("grant get on pods"),
    });
  });

  test("a pod that went away meanwhile is NOT_FOUND by its name, one of a workload is chosen again", async () => {
    fake.pods.set("a", runningPod("a", { labels: { app: "engine" } }));
    const named = await provision("kube-pod://engine-0");
    const selected = await provision("kube-pod://?selector=app=engine");
    fake.pods.clear();
    fake.pods.set("engine-1", runningPod("engine-1", { labels: { app: "engine" } }));
    await expect(driver().connect(named, {})).rejects.toMatchObject({ code: "NOT_FOUND", hint: expect.stringContaining('did you mean "engine-1"?') });
    const { stream } = await driver().connect(JSON.parse(JSON.stringify(selected)) as typeof selected, {});
    stream.destroy();
    expect(fake.requests.at(-1)).toContain("/pods/engine-1/exec");
  });
});

describe("which pod", () => {
  const labels = { app: "engine" };
  const unready = (name: string, change: (pod: Pod) => object): Pod => ({ ...runningPod(name, { labels }), ...change(runningPod(name, { labels })) });

  beforeEach(() => {
    for (const [name, node] of [
      ["a", "n1"],
      ["b", "n2"],
      ["c", "n3"],
    ] as const)
      fake.pods.set(name, runningPod(name, { labels, node }));
    fake.pods.set(
      "leaving",
      unready("leaving", ({ metadata }) => ({ metadata: { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } })),
    );
    fake.pods.set(
      "starting",
      unready("starting", ({ status }) => ({ status: { ...status, conditions: [{ type: "Ready", status: "False" }] } })),
    );
  });

  test("only ready ones that stay, the same one for one key, moved only when it goes", async () => {
    const keys = Array.from({ length: 20 }, (_, index) => `repo-${index}`);
    const choose = async () => Promise.all(keys.map(async (key) => (await provision(`kube-pod://?selector=app=engine&key=${key}`)).endpoint.pod));
    const before = await choose();
    expect(new Set(before)).toEqual(new Set(["a", "b", "c"]));
    fake.pods.delete("b");
    const after = await choose();
    expect(after.filter((name, index) => before[index] !== "b" && name !== before[index])).toEqual([]);
    expect(after).not.toContain("b");
  });

  test("those on the same node first", async () => {
    const events: RunnerEvent[] = [];
    const near = (NODE_NAME: string) =>
      createKubernetesDriver({ env: { KUBECONFIG: fake.kubeconfig, NODE_NAME } }).provision(target("kube-pod://?selector=app=engine&prefer=same-node"), {
        report: (event) => void events.push(event),
      });
    expect((await near("n2")).endpoint.pod).toBe("b");
    expect(events).toEqual([]);
    expect(["a", "b", "c"]).toContain((await near("n9")).endpoint.pod);
    expect(events).toMatchObject([{ type: "warning", id: "no-pod-on-this-node" }]);
  });

  test("those of a StatefulSet are its own, those of a Deployment have its labels", async () => {
    const selector = { matchLabels: labels, matchExpressions: [] };
    fake.objects.set("/apis/apps/v1/namespaces/builds/statefulsets/engine", { metadata: { uid: "set" }, spec: { selector } });
    fake.objects.set("/apis/apps/v1/namespaces/builds/deployments/engine", { metadata: { uid: "other" }, spec: { selector } });
    const owned = runningPod("engine-7", { labels });
    fake.pods.set("engine-7", { ...owned, metadata: { ...owned.metadata, ownerReferences: [{ uid: "set" }] } });
    expect((await provision("kube-pod://sts/engine")).endpoint.pod).toBe("engine-7");
    expect(["a", "b", "c", "engine-7"]).toContain((await provision("kube-pod://deploy/engine")).endpoint.pod);
    await expect(provision("kube-pod://ds/engine")).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining('no DaemonSet "engine"') });
  });

  test("none ready: every pod's state is told, and it is worth another attempt while one is on its way", async () => {
    for (const name of ["a", "b", "c"]) fake.pods.delete(name);
    await expect(provision("kube-pod://?selector=app=engine", { env: { KUBECONFIG: fake.kubeconfig }, readyBudgetMs: 0 })).rejects.toMatchObject({
      code: "NOT_RUNNING",
      retryable: true,
      message: expect.stringMatching(/"leaving" is running and is being deleted; "starting" is running, not ready/),
    });
    fake.pods.clear();
    await expect(provision("kube-pod://?selector=app=engine")).rejects.toMatchObject({ code: "NOT_FOUND", retryable: false });
  });
});

describe("a pod that is on its way", () => {
  const selector = { matchLabels: { app: "engine" } };
  const set = "/apis/apps/v1/namespaces/builds/statefulsets/engine";

  test("is waited for, told once in each state, and counts as available", async () => {
    const { status, ...rest } = runningPod("engine-0", { labels: { app: "engine" } });
    const owned = { ...rest, metadata: { ...rest.metadata, ownerReferences: [{ uid: "set" }] } };
    fake.pods.clear();
    fake.objects.set(set, { metadata: { uid: "set" }, spec: { selector, replicas: 1 } });
    expect(await probe("kube-pod://sts/engine")).toEqual({ available: true, detail: 'StatefulSet "engine" has no pods' });
    const events: RunnerEvent[] = [];
    const report = (event: RunnerEvent) => {
      events.push(event);
      if (events.length === 1) fake.pods.set("engine-0", { ...owned, status: { phase: "Pending" } });
      if (events.length === 2) fake.pods.set("engine-0", { ...owned, ...(status && { status }) });
    };
    const handle = await driver({ pollIntervalMs: 1 }).provision(target("kube-pod://sts/engine"), { report });
    expect(handle.endpoint.pod).toBe("engine-0");
    expect(events).toMatchObject([
      { type: "retry", message: 'StatefulSet "engine" has no pods' },
      { type: "retry", message: expect.stringContaining('"engine-0" is Pending') },
    ]);
  });

  test("a workload that is scaled to 0 is not waited for", async () => {
    fake.objects.set(set, { metadata: { uid: "set" }, spec: { selector, replicas: 0 } });
    await expect(provision("kube-pod://sts/engine")).rejects.toMatchObject({
      code: "NOT_RUNNING",
      retryable: false,
      hint: expect.stringContaining("kubectl scale"),
    });
  });

  test("waiting ends with the caller's abort", async () => {
    fake.objects.set(set, { metadata: { uid: "set" }, spec: { selector } });
    const controller = new AbortController();
    const report = () => controller.abort();
    await expect(driver().provision(target("kube-pod://sts/engine"), { report, signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("which container", () => {
  test("the named one, else the annotated one, else the first", async () => {
    const pod = runningPod("two", { containers: ["proxy", "engine"] });
    fake.pods.set("two", pod);
    expect((await provision("kube-pod://two")).endpoint.container).toBe("proxy");
    expect((await provision("kube-pod://two?container=engine")).endpoint.container).toBe("engine");
    fake.pods.set("two", { ...pod, metadata: { ...pod.metadata, annotations: { "kubectl.kubernetes.io/default-container": "engine" } } });
    expect((await provision("kube-pod://two")).endpoint.container).toBe("engine");
    await expect(provision("kube-pod://two?container=x")).rejects.toMatchObject({ code: "NOT_FOUND", hint: "it has proxy, engine" });
  });
});

describe("where the cluster is", () => {
  test.each([
    ["context=fak", "INVALID_CONFIG", 'did you mean "fake"'],
    ["context=nobody", "CONNECTION_REFUSED", ""],
    ["context=stranger", "TLS_FAILED", "certificate-authority"],
  ])("?%s is %s", async (query, code, hint) => {
    expect(await probe(`kube-pod://engine-0?${query}`)).toMatchObject({ available: false, code, hint: expect.stringContaining(hint) });
  });

  test("no kubeconfig and no service account", async () => {
    const nowhere = { env: { HOME: "/no/such/home" } };
    const failure = { code: "NOT_AVAILABLE", message: expect.stringContaining("/no/such/home/.kube/config") };
    await expect(provision("kube-pod://x", nowhere)).rejects.toMatchObject(failure);
    await expect(createKubernetesDriver(nowhere).list?.({})).rejects.toMatchObject(failure);
    expect(await probe("kube-pod://x", nowhere)).toMatchObject({ available: false, code: "NOT_AVAILABLE" });
  });

  test("a KUBECONFIG that names no file that is there", async () => {
    const wrong = { env: { HOME: "/no/such/home", KUBECONFIG: "/no/such/file" } };
    await expect(createKubernetesDriver(wrong).list?.({})).rejects.toMatchObject({ code: "INVALID_CONFIG", message: expect.stringContaining("/no/such/file") });
  });

  test("several files of KUBECONFIG, one of which is missing: the first that says something wins", async () => {
    const mine = join(fake.folder, "mine");
    writeFileSync(
      mine,
      "apiVersion: v1\nclusters: []\ncontexts:\n- name: mine\n  context: {cluster: fake, user: me, namespace: elsewhere}\ncurrent-context: mine\n",
    );
    const handle = await provision("kube-pod://engine-0", { env: { KUBECONFIG: `/no/such/file:${mine}:${fake.kubeconfig}` } });
    expect(handle.endpoint).toMatchObject({ namespace: "elsewhere", cluster: { kind: "kubeconfig", files: [mine, fake.kubeconfig], context: "mine" } });
    expect(JSON.stringify(handle)).not.toContain("secret-token");
  });

  test("a broken kubeconfig is told without its content", async () => {
    const broken = join(fake.folder, "broken");
    writeFileSync(broken, "users:\n- name: me\n  user: {token: secret-token\n- x: [");
    const error: unknown = await provision("kube-pod://x", { env: { KUBECONFIG: broken } }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "INVALID_CONFIG", message: expect.stringContaining(broken) });
    expect(JSON.stringify(error) + String(error)).not.toContain("secret-token");
  });

  test("in a pod: service account, its namespace, and its token as it is at each dial", async () => {
    const account = join(fake.folder, "account");
    mkdirSync(account);
    const write = (token: string) => writeFileSync(join(account, "token"), `${token}\n`);
    write("first");
    writeFileSync(join(account, "namespace"), "ci");
    writeFileSync(join(account, "ca.crt"), "");
    const inCluster = driver({
      serviceAccountDirectory: account,
      env: { HOME: "/no/such/home", KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(fake.port) },
    });
    await expect(inCluster.provision(target("kube-pod://engine-0"), {})).rejects.toMatchObject({ code: "TLS_FAILED" });
    writeFileSync(join(account, "ca.crt"), readFileSync(join(fake.folder, "cert.pem")));
    const handle = await inCluster.provision(target("kube-pod://engine-0"), {});
    expect(handle.endpoint).toMatchObject({ namespace: "ci", cluster: { kind: "in-cluster", server: `https://127.0.0.1:${fake.port}` } });
    write("second");
    (await inCluster.connect(handle, {})).stream.destroy();
    expect(fake.authorizations).toEqual(["Bearer first", "Bearer second"]);
  });

  test("a token file of the kubeconfig, and a credential plugin, are asked anew each time", async () => {
    const config = JSON.parse(readFileSync(fake.kubeconfig, "utf8")) as { users: object[] };
    const plugin = join(fake.folder, "plugin.sh");
    writeFileSync(plugin, `echo x >> ${fake.folder}/asked; n=$(wc -l < ${fake.folder}/asked); echo "{\\"status\\":{\\"token\\":\\"plugin-$n\\"}}"\n`);
    const use = async (user: object) => {
      writeFileSync(fake.kubeconfig, JSON.stringify({ ...config, users: [{ name: "me", user }] }));
      await provision("kube-pod://engine-0");
    };
    writeFileSync(join(fake.folder, "token"), "from-file\n");
    await use({ tokenFile: "token" });
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: [plugin] };
    await use({ exec });
    await use({ exec });
    expect(fake.authorizations).toEqual(["Bearer from-file", "Bearer plugin-1", "Bearer plugin-2"]);
    await expect(use({ exec: { ...exec, command: "no-such-plugin" } })).rejects.toMatchObject({
      code: "AUTH_FAILED",
      hint: expect.stringContaining("install no-such-plugin"),
    });
    await expect(use({ exec: { ...exec, args: ["-c", "echo log in again >&2; exit 1"] } })).rejects.toMatchObject({
      code: "AUTH_FAILED",
      message: expect.stringContaining("log in again"),
    });
  });
});
