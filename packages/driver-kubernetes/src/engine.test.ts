import { parseRunnerUrl, RunnerError, urlSecrets, type RunnerEvent } from "@anyrunner/core/driver";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createKubernetesDriver } from "./driver.ts";
import { playControllers } from "./fake-controllers.fixture.ts";
import { runningPod, startFakeApiServer, type FakeApiServer } from "./fake-api-server.fixture.ts";
import { ALL_OPTIONS, parseKubernetesTarget } from "./target.ts";

const SETS = "/apis/apps/v1/namespaces/builds/statefulsets";
const SECRETS = "/api/v1/namespaces/builds/secrets";
const NAME = "anyrunner-engine-v1";
const URL = "kube-image://engine:v1?config=none&ca=none&env=TOKEN=hunter2";

let fake: FakeApiServer;
beforeEach(async () => {
  fake = await startFakeApiServer();
  playControllers(fake);
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

const driver = () => createKubernetesDriver({ env: { KUBECONFIG: fake.kubeconfig }, readyBudgetMs: 1000, pollIntervalMs: 1 });
const provision = (text: string, options = {}) => {
  const url = parseRunnerUrl(text);
  return driver().provision(parseKubernetesTarget(url), { secrets: urlSecrets(url, ALL_OPTIONS), ...options });
};

describe("an engine by its image", () => {
  test("is made once, by four at once, and the one that made it sees to it that it answers", async () => {
    let asked = 0;
    const ready = () => Promise.resolve(void asked++);
    const handles = await Promise.all([1, 2, 3, 4].map(() => provision(URL, { ready })));
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1);
    expect(asked).toBe(1);
    expect(fake.objects.has(`${SETS}/${NAME}`)).toBe(true);
    expect(handles[0]).toMatchObject({
      owned: true,
      endpoint: { pod: `${NAME}-0`, container: "engine", namespace: "builds" },
      labels: { "dev.anyrunner.role": "engine" },
    });
    expect(JSON.stringify([handles[0], fake.objects.get(`${SETS}/${NAME}`)])).not.toContain("hunter2");
    const connection = await driver().connect(handles[0] as (typeof handles)[0], {});
    connection.stream.destroy();
  });

  test("that is scaled to 0 is started; stopped and destroyed it is gone, with its Secret", async () => {
    const handle = await provision(URL);
    const engines = driver();
    await engines.stop?.(handle, { graceMs: 0 });
    expect(fake.pods.size).toBe(0);
    expect(await engines.inspect?.(handle, {})).toMatchObject({ status: "stopped" });
    await expect(engines.connect(handle, {})).rejects.toMatchObject({ code: "NOT_RUNNING", retryable: false });
    expect((await provision(URL)).id).toBe(handle.id);
    expect((await engines.list?.({}))?.map(({ id }) => id)).toEqual([handle.id]);
    await engines.destroy?.(handle, {});
    await engines.destroy?.(handle, {});
    expect([...fake.objects.keys()]).toEqual([]);
    expect(await engines.inspect?.(handle, {})).toEqual({ status: "missing" });
  });

  test("is found without being made, in the namespace and by the name that its URL says", async () => {
    const set = (name: string, namespace: string) =>
      fake.objects.set(`/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`, {
        metadata: { name, uid: `${namespace}/${name}`, labels: { "dev.anyrunner.role": "engine" } },
        spec: { replicas: 1, selector: {} },
      });
    for (const [name, namespace] of [
      ["one", "builds"],
      ["one", "elsewhere"],
      ["two", "elsewhere"],
    ] as const)
      set(name, namespace);
    const listed = async (query: string) =>
      (await driver().list?.({ target: parseKubernetesTarget(parseRunnerUrl(`kube-image://engine:v1?${query}`)) }))?.map(({ id }) => id);
    expect(await listed("config=none")).toEqual(["builds/one"]);
    expect(await listed("namespace=elsewhere")).toEqual(["elsewhere/one", "elsewhere/two"]);
    expect(await listed("namespace=elsewhere&name=two")).toEqual(["elsewhere/two"]);
  });

  test("of another image, or of somebody else, is left alone", async () => {
    await provision(`${URL}&name=mine`);
    await expect(provision("kube-image://engine:v2?name=mine")).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      message: expect.stringContaining("engine:v1"),
    });
    fake.objects.set(`${SETS}/theirs`, { metadata: { name: "theirs", uid: "x" }, spec: { selector: {}, replicas: 1 } });
    await expect(provision("kube-image://engine:v1?name=theirs")).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      hint: expect.stringContaining("kube-pod://sts/theirs"),
    });
    fake.objects.set(`${SECRETS}/secret`, { metadata: { name: "secret" } });
    await expect(provision("kube-image://engine:v1?name=secret")).rejects.toMatchObject({ code: "ALREADY_EXISTS", message: expect.stringContaining("Secret") });
    expect(fake.objects.get(`${SECRETS}/secret`)).toEqual({ metadata: { name: "secret" } });
  });

  test("whose image can't be had is IMAGE_PULL_FAILED, at once", async () => {
    playControllers(fake, (pod) => {
      const waiting = { reason: "ErrImageNeverPull", message: "not present" };
      return { ...pod, status: { phase: "Pending", containerStatuses: [{ name: "engine", state: { waiting } }] } };
    });
    await expect(provision(URL)).rejects.toMatchObject({
      code: "IMAGE_PULL_FAILED",
      retryable: false,
      message: expect.stringContaining(`"${NAME}-0" is Pending: its container "engine" waits (ErrImageNeverPull: not present)`),
      hint: expect.stringContaining("kubectl describe"),
    });
  });

  test("with other options is used as it is, and that is told", async () => {
    const first = await provision(URL);
    const events: RunnerEvent[] = [];
    const second = await provision(`${URL}&cpus=2`, { report: (event: RunnerEvent) => void events.push(event) });
    expect(second.id).toBe(first.id);
    expect(events).toMatchObject([{ type: "warning", message: expect.stringContaining("cpus is not set, not 2") }]);
  });

  test("that is in use is not stopped before its sessions end", async () => {
    const handle = await provision(URL);
    fake.exec = (exec) => {
      exec.stdout('# metrics\ndagger_connected_clients{x="y"} 2\n');
      exec.exit(0);
    };
    const error: unknown = await driver()
      .stop?.(handle, { graceMs: 1 })
      .catch((reason: unknown) => reason);
    expect(RunnerError.is(error) && [error.code, error.message]).toEqual(["TIMEOUT", expect.stringContaining("in use by 2 sessions")]);
    expect(fake.pods.get(`${NAME}-0`)?.metadata.annotations).toEqual({});
  });

  test("lets no new session in while it is being stopped, and says how it ended", async () => {
    const handle = await provision(URL);
    fake.log = 'msg="marking dagql cache clean shutdown"\n';
    const tried: unknown[] = [];
    fake.exec = (exec) => {
      void provision(URL).catch((error: unknown) => {
        tried.push(error);
        exec.exit(0);
      });
    };
    const events: RunnerEvent[] = [];
    await driver().stop?.(handle, { graceMs: 10_000, report: (event: RunnerEvent) => void events.push(event) });
    expect(tried).toMatchObject([
      { code: "NOT_RUNNING", retryable: false, message: expect.stringContaining("is being stopped"), hint: expect.stringContaining("anyrunner start") },
    ]);
    expect(events).toMatchObject([{ id: `cache-kept-${NAME}` }]);
    expect(fake.pods.size).toBe(0);
    fake.exec = (exec) => exec.exit(0);
    expect((await provision(URL)).id).toBe(handle.id);
  });

  test("lets no new session in either while a stop without patience looks a last time", async () => {
    const handle = await provision(URL);
    const marked: boolean[] = [];
    fake.exec = (exec) => {
      const until = fake.pods.get(`${NAME}-0`)?.metadata.annotations?.["dev.anyrunner.draining"];
      marked.push(until !== undefined && Date.parse(until) > Date.now() + 5000);
      exec.exit(0);
    };
    await driver().stop?.(handle, { drainMs: 0, graceMs: 10_000 });
    expect(marked).toEqual([false, true]);
  });

  test("that a stop has left marked is let go on by a start", async () => {
    const handle = await provision(URL);
    const pod = fake.pods.get(`${NAME}-0`);
    if (pod === undefined) throw new Error("there is no pod");
    fake.pods.set(`${NAME}-0`, { ...pod, metadata: { ...pod.metadata, annotations: { "dev.anyrunner.draining": "2999-01-01T00:00:00.000Z" } } });
    await expect(provision(URL)).rejects.toMatchObject({ code: "NOT_RUNNING", details: { state: "draining" } });
    await driver().start?.(handle, {});
    expect((await provision(URL)).id).toBe(handle.id);
    fake.pods.set(`${NAME}-0`, { ...pod, metadata: { ...pod.metadata, annotations: { "dev.anyrunner.draining": "2020-01-01T00:00:00.000Z" } } });
    expect((await provision(URL)).id).toBe(handle.id);
  });
});

test("a pod that was not named by its workload can't be stopped, and nothing that we did not make is removed", async () => {
  fake.pods.set("engine-0", runningPod("engine-0"));
  const handle = await provision("kube-pod://engine-0");
  await driver().start?.(handle, {});
  await expect(driver().stop?.(handle, {})).rejects.toMatchObject({ code: "UNSUPPORTED", hint: expect.stringContaining("sts/NAME") });
  await expect(driver().destroy?.(handle, {})).rejects.toMatchObject({ code: "UNSUPPORTED" });
});
