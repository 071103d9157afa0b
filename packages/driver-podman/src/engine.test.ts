import { randomUUID } from "node:crypto";

import { parseRunnerUrl, urlSecrets, type ProvisionOptions, type RunnerEvent } from "@anyrunner/core/driver";
import { ensureBusyboxImage, ensureConformanceEngineImage } from "@anyrunner/testkit";
import { describe, expect, onTestFinished, test } from "vitest";

import { createContainerCliDriver, type ContainerCliSettings } from "./driver.ts";
import { createSite, podman, podmanEnv, podmanImages, runSite, skipReason, tryPodman, type TestSite } from "./test-podman.ts";

const newDriver = (settings: ContainerCliSettings = {}) => createContainerCliDriver("podman", { env: podmanEnv, ...settings });
const engineImage = () => ensureConformanceEngineImage({ store: podmanImages });

async function provision(image: string, site: TestSite, query = "", options: ProvisionOptions = {}) {
  const driver = newDriver();
  const url = parseRunnerUrl(`podman-image://${image}?container=${site.name}&network=none${query}`);
  return driver.provision(await driver.parse(url), { secrets: urlSecrets(url, driver.options), ...options });
}

describe.skipIf(skipReason !== undefined)(`engines that are made, real Podman${skipReason === undefined ? "" : ` (${skipReason})`}`, () => {
  test("four at once make one engine; its variables are in no argument and no label", async () => {
    await using site = createSite();
    const image = await engineImage();
    const handles = await Promise.all([1, 2, 3, 4].map(() => provision(image, site, "&env=TOKEN=s3cret&env=PATH=/usr/bin:/bin&cpus=1")));
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1);
    expect(handles[0]).toMatchObject({ driver: "podman", owned: true, endpoint: { name: site.name }, labels: { "dev.anyrunner.role": "engine" } });
    const [made] = JSON.parse(await podman(["container", "inspect", site.name])) as [InspectedEngine];
    expect(made.HostConfig).toMatchObject({ Privileged: true, RestartPolicy: { Name: "unless-stopped" } });
    expect(made.Config.StopTimeout).toBe(600);
    expect(made.Config.Env).toEqual(expect.arrayContaining(["TOKEN=s3cret", "PATH=/usr/bin:/bin"]));
    expect(JSON.stringify([made.Config.CreateCommand, made.Config.Labels, handles])).not.toContain("s3cret");
    expect(made.Mounts).toMatchObject([{ Name: site.name, Destination: "/var/lib/dagger" }]);
  });

  test("an engine that is stopped is started again, and waited for", async () => {
    await using site = createSite();
    const image = await engineImage();
    const handle = await provision(image, site);
    await newDriver().stop?.(handle, { graceMs: 60_000 });
    const asked: string[] = [];
    const ready = (found: { readonly id: string }) => Promise.resolve(void asked.push(found.id));
    expect(await provision(image, site, "", { ready })).toEqual(handle);
    expect(asked).toEqual([handle.id]);
  });

  test("an engine that a stop has marked takes no new session; started again, or stopped, it has no mark", async () => {
    await using site = createSite();
    const image = await engineImage();
    const driver = newDriver();
    const handle = await provision(image, site);
    const mark = `${site.name}-draining`;
    const isMarked = async () => (await tryPodman(["volume", "inspect", mark])).exitCode === 0;
    await podman(["volume", "create", "--label", "dev.anyrunner.role=draining", mark]);
    await expect(provision(image, site)).rejects.toMatchObject({ code: "NOT_RUNNING", details: { state: "draining" } });
    await driver.start?.(handle, {});
    expect(await isMarked()).toBe(false);
    expect(await provision(image, site)).toEqual(handle);
    await driver.stop?.(handle, { graceMs: 60_000 });
    expect(await isMarked()).toBe(false);
  });

  test("an engine that dies while it is waited for: at once, with its last words", async () => {
    await using site = createSite();
    const image = await engineImage();
    const ready = async () => {
      // It may be slower to its first word than we are.
      await expect.poll(() => podman(["logs", site.name])).toContain("ready");
      await podman(["kill", site.name]);
      return new Promise<never>(() => undefined);
    };
    await expect(provision(image, site, "", { ready })).rejects.toMatchObject({
      code: "NOT_RUNNING",
      message: expect.stringMatching(/was started but does not answer: it is not running: .*137.*\nits last words:\nthe conformance peer is ready/s),
      details: { lastOutput: expect.stringContaining("the conformance peer is ready") },
    });
  });

  test("other options than it was made with are told, and stay", async () => {
    await using site = createSite();
    const image = await engineImage();
    const events: RunnerEvent[] = [];
    const first = await provision(image, site, "&cpus=1&env=A=1");
    expect(await provision(image, site, "&cpus=2&env=A=2", { report: (event) => events.push(event) })).toEqual(first);
    expect(events).toMatchObject([
      { type: "warning", id: `engine-options-${site.name}`, message: expect.stringMatching(/cpus is 1, not 2.*value of A differs/) },
    ]);
  });

  test("a container of that name with another image is ALREADY_EXISTS", async () => {
    await using site = await runSite([await ensureBusyboxImage({ store: podmanImages }), "sleep", "3600"]);
    await expect(provision(await engineImage(), site)).rejects.toMatchObject({ code: "ALREADY_EXISTS", hint: expect.stringContaining("container=") });
  });

  test("destroy keeps the cache unless it is told otherwise; what podman made for somebody else stays", async () => {
    await using site = createSite();
    const image = await engineImage();
    const driver = newDriver();
    const volume = async () => (await tryPodman(["volume", "inspect", site.name])).exitCode === 0;
    await driver.destroy?.(await provision(image, site), {});
    expect(await volume()).toBe(true);
    await driver.destroy?.(await provision(image, site), { volume: true });
    expect(await volume()).toBe(false);
    await podman(["volume", "create", site.name]);
    const events: RunnerEvent[] = [];
    await driver.destroy?.(await provision(image, site), { volume: true, report: (event) => events.push(event) });
    expect(await volume()).toBe(true);
    expect(events).toMatchObject([{ type: "warning", id: `volume-${site.name}` }]);
  });

  test("a running engine of the official client for the same image is used, and never removed", async () => {
    // An image of its own, since the container's name follows from the tag.
    const tag = `t${randomUUID().slice(0, 8)}`;
    const image = `localhost/anyrunner-test-derived:${tag}`;
    await using plain = createSite();
    await podman(["create", "--name", plain.name, "--network", "none", await engineImage()]);
    await podman(["commit", "--quiet", "--change", "LABEL anyrunner-test=1", plain.name, image]);
    onTestFinished(async () => void (await tryPodman(["image", "rm", "--force", image])));
    await using site = createSite(`dagger-engine-${tag}`);
    await podman(["run", "--detach", "--name", site.name, "--network", "none", "--pull", "never", image]);
    const driver = newDriver();
    const handle = await driver.provision(await driver.parse(parseRunnerUrl(`image+podman://${image}`)), {});
    expect(handle).toMatchObject({ owned: false, endpoint: { name: site.name } });
    await expect(driver.destroy?.(handle, {})).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("cancelled on its way, it leaves a whole engine or nothing", async () => {
    const image = await engineImage();
    for (const moment of [0, 1, 3, 8, 20]) {
      await using site = createSite();
      const controller = new AbortController();
      const outcome = provision(image, site, "", { signal: controller.signal }).catch((error: unknown) => error);
      for (let turn = 0; turn < moment; turn++) await tryPodman(["--version"]);
      controller.abort();
      const error = await outcome;
      const settled = async () => {
        const { exitCode, stdout } = await tryPodman(["container", "inspect", "--format", "{{.State.Status}}", site.name]);
        const volume = (await tryPodman(["volume", "inspect", site.name])).exitCode === 0;
        return [exitCode === 0 ? stdout.toString().trim() : "none", volume];
      };
      if (moment === 0) expect(error).toMatchObject({ code: "ABORTED" });
      await expect.poll(settled, { timeout: 60_000 }).toSatisfy((state: unknown) => ["none,false", "running,true"].includes(String(state)));
    }
  });

  test("two engines on one volume are refused", async () => {
    await using first = createSite();
    await using second = createSite();
    const image = await engineImage();
    await provision(image, first);
    await expect(provision(image, second, `&volume=${first.name}`)).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      message: expect.stringContaining(`in use by the container "${first.name}"`),
    });
  });

  test.each([
    ["pull=never", "&pull=never", "NOT_FOUND", "must not pull it"],
    ["a registry that doesn't answer", "", "IMAGE_PULL_FAILED", "podman can't pull 127.0.0.1:9/no/such:1: "],
  ])("an image that isn't there, %s", async (_case, query, code, words) => {
    await using site = createSite();
    const events: RunnerEvent[] = [];
    const outcome = provision("127.0.0.1:9/no/such:1", site, query, { report: (event) => events.push(event) });
    await expect(outcome).rejects.toMatchObject({ code, message: expect.stringContaining(words), hint: expect.stringMatching(/./), driver: "podman" });
    expect((await tryPodman(["volume", "inspect", site.name])).exitCode).not.toBe(0);
  });

  test("an engine that can't be started leaves neither container nor volume", async () => {
    await using site = createSite();
    const image = await ensureBusyboxImage({ store: podmanImages });
    await expect(provision(image, site)).rejects.toMatchObject({ code: "COMMAND_FAILED", message: expect.stringContaining(site.name) });
    expect((await tryPodman(["container", "exists", site.name])).exitCode).toBe(1);
    expect((await tryPodman(["volume", "inspect", site.name])).exitCode).not.toBe(0);
  });
});

interface InspectedEngine {
  readonly HostConfig: object;
  readonly Mounts: readonly object[];
  readonly Config: { readonly StopTimeout: number; readonly Env: readonly string[]; readonly Labels: object; readonly CreateCommand: readonly string[] };
}
