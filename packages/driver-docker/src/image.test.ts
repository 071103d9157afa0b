import { randomInt } from "node:crypto";
import { createServer, type AddressInfo } from "node:net";

import { parseRunnerUrl, RunnerError, urlSecrets, type ProvisionOptions, type RunnerEvent } from "@anyrunner/core/driver";
import { officialContainerName } from "@anyrunner/engine-container";
import { ensureBusyboxImage, ensureConformanceEngineImage } from "@anyrunner/testkit";
import { beforeAll, describe, expect, test } from "vitest";

import { createDockerDriver } from "./driver.ts";
import { findRunningEngine } from "./find-running-engine.ts";
import type { DockerHandle } from "./handle.ts";
import { createEngineSite, runTestContainer, engineSkipReason, type EngineSite } from "./test-container.ts";
import { localClient, makeTestImage } from "./test-image.ts";
import { startPrivateDaemon } from "./test-private-daemon.ts";

const driver = createDockerDriver({ env: { ...process.env, XDG_CONFIG_HOME: "/no/such/folder" } });
const parse = (text: string) => driver.parse(parseRunnerUrl(`docker-image://${text}`));
const provision = async (text: string, options: ProvisionOptions = {}): Promise<DockerHandle> =>
  driver.provision(await parse(text), { secrets: urlSecrets(parseRunnerUrl(`docker-image://${text}`), driver.options), ...options });
const record = () => {
  const events: RunnerEvent[] = [];
  return { events, report: (event: RunnerEvent) => void events.push(event) };
};

describe.skipIf(engineSkipReason !== undefined)(`engines by image, real daemon${engineSkipReason === undefined ? "" : ` (${engineSkipReason})`}`, () => {
  let image: string;
  beforeAll(async () => {
    image = await ensureConformanceEngineImage();
  });
  const url = (site: EngineSite, query = "") => `${image}?container=${site.name}&network=none${query}`;

  async function inspectContainer(name: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const client = await localClient();
    try {
      return await client.json<Readonly<Record<string, unknown>>>({ path: `/containers/${name}/json` });
    } catch (error) {
      if (RunnerError.is(error) && error.code === "NOT_FOUND") return undefined;
      throw error;
    } finally {
      client.close();
    }
  }

  async function volumeExists(name: string): Promise<boolean> {
    const client = await localClient();
    const { status, body } = await client.request({ path: `/volumes/${name}`, expect: [404] });
    body.resume();
    client.close();
    return status === 200;
  }

  test("is made as planned: privileged, labelled, with its volume, ours to remove", async () => {
    await using site = createEngineSite();
    const handle = await provision(url(site, "&cpus=0.5&memory=64m&env=A=b&label=team=x"));
    expect(handle).toMatchObject({ owned: true, labels: { "dev.anyrunner.role": "engine", "dev.anyrunner.image": image }, endpoint: { name: site.name } });
    expect(handle.labels).not.toHaveProperty("team");
    expect(await inspectContainer(site.name)).toMatchObject({
      Config: { StopTimeout: 600, Labels: { team: "x" }, Env: expect.arrayContaining(["A=b"]) },
      HostConfig: { Privileged: true, RestartPolicy: { Name: "unless-stopped" }, NanoCpus: 5e8, Memory: 64 * 1024 * 1024 },
      Mounts: [{ Type: "volume", Name: site.name, Destination: "/var/lib/dagger" }],
    });
  });

  test("four first runs at once make one engine, and each waits until it is ready", async () => {
    await using site = createEngineSite();
    let asked = 0;
    const ready = async () => void asked++;
    const handles = await Promise.all(Array.from({ length: 4 }, () => createDockerDriver().provision(parse(url(site)) as never, { ready })));
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1);
    expect(asked).toBe(4);
  });

  test("a stopped engine is started again, with its volume", async () => {
    await using site = createEngineSite();
    const first = await provision(url(site));
    await driver.stop?.(first, {});
    expect((await driver.inspect?.(first, {}))?.status).toBe("stopped");
    expect((await provision(url(site))).id).toBe(first.id);
    expect((await driver.inspect?.(first, {}))?.status).toBe("running");
  });

  test("other options are warned of and stay as they are; another image is refused", async () => {
    await using site = createEngineSite();
    await using other = await makeTestImage();
    const first = await provision(url(site, "&env=A=pa55word"));
    const { events, report } = record();
    expect((await provision(url(site, "&cpus=1&env=A=w0rd"), { report })).id).toBe(first.id);
    expect(events).toEqual([
      expect.objectContaining({
        type: "warning",
        id: `engine-options-${site.name}`,
        message: expect.stringMatching(/cpus is not set, not 1; the value of A differs$/),
      }),
    ]);
    expect(JSON.stringify(events)).not.toContain("pa55word");
    await expect(provision(`${other.reference}?container=${site.name}`)).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      message: `the container "${site.name}" runs ${image}, not ${other.reference}`,
      hint: expect.stringContaining("container="),
    });
  });

  test("a running engine of the official client is used, never removed", async () => {
    await using own = await makeTestImage();
    await using official = createEngineSite(officialContainerName(own.reference));
    await using ours = createEngineSite(`anyrunner-engine-${own.tag}`);
    await startPlain(own.reference, official.name);
    const handle = await provision(own.reference);
    expect(handle).toMatchObject({ owned: false, labels: {}, endpoint: { name: official.name } });
    await expect(driver.destroy?.(handle, {})).rejects.toMatchObject({ code: "UNSUPPORTED", hint: `remove it yourself: docker rm -f ${official.name}` });
    expect(await inspectContainer(ours.name)).toBeUndefined();
    await driver.stop?.(handle, {});
    expect(await provision(own.reference)).toMatchObject({ owned: true, endpoint: { name: ours.name } });
  });

  async function startPlain(reference: string, name: string): Promise<void> {
    const client = await localClient();
    await client.json({ method: "POST", path: "/containers/create", query: { name }, json: { Image: reference, HostConfig: { NetworkMode: "none" } } });
    await client.json({ method: "POST", path: `/containers/${name}/start` });
    client.close();
  }

  test("the volume outlives its engine, unless its removal is asked for", async () => {
    await using site = createEngineSite();
    await driver.destroy?.(await provision(url(site)), {});
    expect(await volumeExists(site.name)).toBe(true);
    await driver.destroy?.(await provision(url(site)), { volume: true });
    expect(await volumeExists(site.name)).toBe(false);
  });

  test("a volume that two engines would share is refused", async () => {
    await using site = createEngineSite();
    await using second = createEngineSite();
    await provision(url(site));
    await expect(provision(url(second, `&volume=${site.name}`))).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      message: expect.stringContaining(`in use by the container "${site.name}"`),
    });
  });

  test("an image that must not be pulled is NOT_FOUND", async () => {
    await expect(provision("127.0.0.1:1/no-such:v1?pull=never")).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("127.0.0.1:1/no-such:v1"),
    });
    expect(await inspectContainer("anyrunner-engine-v1")).toBeUndefined();
  });

  test("an image that is there for another platform is NOT_FOUND with that platform", async () => {
    await using site = createEngineSite();
    await expect(provision(url(site, "&pull=never&platform=linux/s390x"))).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining(`the image ${image} for linux/s390x is not there`),
    });
  });

  test("an engine that dies at its start: NOT_RUNNING with its last words, once, and nothing goes on dying", async () => {
    await using broken = await makeTestImage(['ENTRYPOINT ["sh","-c","echo the state is locked; exit 3"]']);
    await using site = createEngineSite();
    const ready = (_handle: unknown, { signal }: { readonly signal?: AbortSignal | undefined }) =>
      new Promise<void>((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(new Error("given up")));
      });
    await expect(provision(`${broken.reference}?container=${site.name}&network=none`, { ready })).rejects.toMatchObject({
      code: "NOT_RUNNING",
      message: expect.stringMatching(/its last words:\n(the state is locked\n?)+$/),
    });
    expect(await inspectContainer(site.name)).toBeUndefined();
  });

  test("a failed start leaves no container behind", async () => {
    await using site = createEngineSite();
    await expect(provision(`${await ensureBusyboxImage()}?container=${site.name}&network=none`)).rejects.toMatchObject({
      code: "COMMAND_FAILED",
      message: expect.stringContaining(`the container "${site.name}" can't be started`),
    });
    expect(await inspectContainer(site.name)).toBeUndefined();
  });

  test("a port that is taken is found before the start: reason, remedy, and nothing left behind", async () => {
    await using site = createEngineSite();
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as AddressInfo;
    try {
      await expect(provision(`${image}?container=${site.name}&port=${port}`)).rejects.toMatchObject({
        code: "ALREADY_EXISTS",
        message: expect.stringContaining(`127.0.0.1:${port}`),
        hint: expect.stringContaining("another port="),
        details: { requirement: "host.port" },
      });
      expect(await inspectContainer(site.name)).toBeUndefined();
    } finally {
      server.close();
    }
  });

  test("stop waits for live sessions, and leaves the engine running when they stay; without patience it kills", async () => {
    await using site = createEngineSite();
    const handle = await provision(url(site));
    const connection = await driver.connect(handle, {});
    connection.stream.on("error", () => undefined).resume();
    connection.stream.write("ECHO\n");
    const { events, report } = record();
    await expect(driver.stop?.(handle, { graceMs: 50, report })).rejects.toMatchObject({
      code: "TIMEOUT",
      message: expect.stringContaining("still in use by 1 session"),
    });
    expect((await driver.inspect?.(handle, {}))?.status).toBe("running");
    expect(events).toEqual([{ type: "progress", id: "engine-drain", message: `waiting for 1 session on the engine "${site.name}"` }]);
    connection.stream.end();
    await connection.closed;
    await driver.stop?.(handle, { graceMs: 60_000 });
    expect(await driver.inspect?.(handle, {})).toMatchObject({ status: "stopped", exitCode: 0 });
    await driver.start?.(handle, {});
    const last = await driver.connect(handle, {});
    last.stream.on("error", () => undefined).resume();
    last.stream.write("ECHO\n");
    await driver.stop?.(handle, { graceMs: 0 });
    expect((await driver.inspect?.(handle, {}))?.status).toBe("stopped");
    await last.closed;
  });

  test("an engine that is being stopped takes no new session from anybody, until it is started or the stop gives up", async () => {
    await using site = createEngineSite();
    const handle = await provision(url(site));
    const elsewhere = createDockerDriver();
    const { stream, closed } = await driver.connect(handle, {});
    stream.on("error", () => undefined).resume();
    stream.write("ECHO\n");
    await expect(driver.stop?.(handle, { drainMs: 0 })).rejects.toMatchObject({ code: "TIMEOUT", details: { sessions: 1 } });
    expect((await provision(url(site))).id).toBe(handle.id);

    const waiting = new Promise<void>((resolve) => {
      void driver.stop?.(handle, { report: ({ type }) => type === "progress" && resolve() });
    });
    await waiting;
    const refusal = { code: "NOT_RUNNING", retryable: false, details: { state: "draining" }, hint: expect.stringContaining(`anyrunner start ${site.name}`) };
    for (const text of [`docker-image://${url(site)}`, `docker-container://${site.name}`])
      await expect((async () => elsewhere.provision(await elsewhere.parse(parseRunnerUrl(text)), {}))()).rejects.toMatchObject(refusal);
    await driver.start?.(handle, {});
    expect((await provision(url(site))).id).toBe(handle.id);

    stream.end();
    await closed;
    await expect.poll(async () => (await driver.inspect?.(handle, {}))?.status, { timeout: 60_000 }).toBe("stopped");
    expect(await inspectContainer(site.name)).toMatchObject({ HostConfig: { RestartPolicy: { Name: "unless-stopped" } } });
  });

  test("cleanup removes our idle engines, neither live ones nor others'", async () => {
    await using idle = createEngineSite();
    await using live = createEngineSite();
    await using site = createEngineSite();
    await using foreign = await runTestContainer();
    await using daemon = await startPrivateDaemon([idle, live, site, foreign].map(({ name }) => name));
    await provision(url(idle));
    const connection = await driver.connect(await provision(url(live)), {});
    connection.stream.on("error", () => undefined).resume();
    connection.stream.write("ECHO\n");
    await provision(url(site, `&cleanup=true&host=${daemon.host}`));
    const left = await Promise.all([idle, live, site, foreign].map(async ({ name }) => (await inspectContainer(name)) !== undefined));
    expect(left).toEqual([false, true, true, true]);
    expect(await volumeExists(idle.name)).toBe(true);
    connection.stream.destroy();
    await connection.closed;
  });

  test("keep removes our stopped engines beyond the number, and nothing that runs", async () => {
    await using stopped = createEngineSite();
    await using running = createEngineSite();
    await using site = createEngineSite();
    await using daemon = await startPrivateDaemon([stopped, running, site].map(({ name }) => name));
    await driver.stop?.(await provision(url(stopped)), { graceMs: 60_000 });
    await provision(url(running));
    const keep = (count: number) => provision(url(site, `&keep=${count}&host=${daemon.host}`));
    const left = () => Promise.all([stopped, running, site].map(async ({ name }) => (await inspectContainer(name)) !== undefined));
    const handle = await keep(3);
    expect(await left()).toEqual([true, true, true]);
    await keep(1);
    // It ran already.
    expect(await left()).toEqual([true, true, true]);
    await driver.stop?.(handle, { graceMs: 60_000 });
    await keep(1);
    expect(await left()).toEqual([false, true, true]);
    expect(await volumeExists(stopped.name)).toBe(true);
  });

  test("findRunningEngine: exactly the version, ours first", async () => {
    await using site = createEngineSite();
    // Nobody has an engine of it, other runs of this test included.
    const version = `99.98.${randomInt(2 ** 31)}`;
    await using official = createEngineSite(`dagger-engine-v${version}`);
    const find = (wanted: string, gpu = false) => findRunningEngine({ version: wanted, gpu, env: process.env, budgetMs: 60_000 });
    expect(await find(version)).toBeUndefined();
    await startPlain(image, official.name);
    expect(await find(version)).toEqual({ url: `docker-container://${official.name}`, container: official.name });
    expect(await find(`${version}1`)).toBeUndefined();
    expect(await find(version, true)).toBeUndefined();
    const client = await localClient();
    const labels = { "dev.anyrunner.role": "engine", "dev.anyrunner.image": `mirror.example/engine:v${version}` };
    await client.json({
      method: "POST",
      path: "/containers/create",
      query: { name: site.name },
      json: { Image: image, Labels: labels, HostConfig: { NetworkMode: "none" } },
    });
    await client.json({ method: "POST", path: `/containers/${site.name}/start` });
    client.close();
    expect((await find(`v${version}`))?.url).toBe(`docker-container://${site.name}`);
  });
});

test("findRunningEngine without a daemon finds nothing and does not fail; cancelled it is ABORTED", async () => {
  const env = { DOCKER_HOST: "unix:///no/such.sock" };
  expect(await findRunningEngine({ version: "v0.21.8", env })).toBeUndefined();
  await expect(findRunningEngine({ version: "v0.21.8", env, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});
