import { createServer, type AddressInfo } from "node:net";

import { parseRunnerUrl, type RunnerEvent } from "@anyrunner/core/driver";
import { ensureConformanceEngineImage } from "@anyrunner/testkit";
import { describe, expect, test } from "vitest";

import { createContainerCliDriver } from "./driver.ts";
import { parsePodmanInfo } from "./podman-info.ts";
import { createSite, podman, podmanEnv, podmanImages, skipReason, type TestSite } from "./test-podman.ts";
import { createShim, type Shim, type ShimAnswer } from "./test-shim.ts";

const NAME = "anyrunner-engine-v1";
const LABELS = { "dev.anyrunner.role": "engine", "dev.anyrunner.image": "example.com/engine:v1", "dev.anyrunner.volume": NAME };
const ENGINE = { Id: "c0ffee", Name: NAME, Image: "example.com/engine:v1", Config: { Labels: LABELS }, Mounts: [{ Destination: "/var/lib/dagger" }] };
const RUNNING = { ...ENGINE, RestartCount: 1, State: { Status: "running", StartedAt: "2026-01-02T03:04:05Z" } };
const STOPPED = { ...ENGINE, State: { Status: "exited", StartedAt: "2026-01-01T00:00:00Z" } };
const DISCARDED = 'level=WARN msg="local cache state invalid; resetting local cache" reason=dagql_unclean_shutdown\n';
const podmanInfo = (host: object = {}) => JSON.stringify({ host: { os: "linux", memTotal: 8 * 2 ** 30, ...host }, store: {}, version: { Version: "4.3.1" } });

/** Provisions with a stand-in for Podman; gives the warnings, but for the one that the stand-in's engine has no options. */
async function provision(shim: Shim, query = "", url = `podman-image://example.com/engine:v1?pull=never${query}`) {
  const events: RunnerEvent[] = [];
  const driver = createContainerCliDriver("podman", { env: shim.env });
  await driver.provision(await driver.parse(parseRunnerUrl(url)), { report: (event) => void events.push(event), ready: async () => undefined });
  return events.flatMap((event) => (event.type === "warning" && !event.id.startsWith("engine-options-") ? [event] : []));
}

const idsOf = (warnings: readonly { readonly id: string }[]) => warnings.map(({ id }) => id).filter((id) => !id.startsWith("requirement-host."));

/** An engine that is not there yet; `run` makes it. */
const NEW: readonly ShimAnswer[] = [
  { when: "--version", stdout: "podman version 4.3.1\n" },
  { when: `container inspect ${NAME}`, once: true, stderr: "Error: no such container\n", exitCode: 1 },
  { when: "container inspect dagger-engine-v1", stderr: "Error: no such container\n", exitCode: 1 },
  { when: `container inspect ${NAME}`, stdout: JSON.stringify([RUNNING]) },
  { when: "image inspect*", stdout: "[{}]" },
  { when: "volume ls*" },
  { when: "volume create*" },
  { when: "ps*" },
  { when: "logs*" },
  { when: "run*" },
];

describe("before a start", () => {
  test("a rootless Podman with little memory is told, and the start goes on", async () => {
    using shim = createShim("podman", [{ when: "info*", stdout: podmanInfo({ security: { rootless: true }, memTotal: 2 ** 30 }) }, ...NEW]);
    const warnings = await provision(shim);
    expect(idsOf(warnings)).toEqual(["requirement-podman.privileges", "requirement-podman.memory"]);
    expect(warnings[0]?.message).toMatch(/^Podman is rootless: /);
    expect(shim.calls().filter(([verb]) => verb === "run")).toHaveLength(1);
  });

  test("containers of another system are refused before anything is made", async () => {
    using shim = createShim("podman", [
      { when: "info*", stdout: podmanInfo({ os: "windows" }) },
      { when: "container inspect*", stderr: "no such container", exitCode: 1 },
      ...NEW,
    ]);
    await expect(provision(shim)).rejects.toMatchObject({ code: "UNSUPPORTED", driver: "podman", details: { requirement: "podman.system" } });
    expect(shim.calls().map(([verb, action]) => `${verb} ${action}`)).not.toContain("volume create");
  });

  test("a port that is taken is refused, for an engine that is started again, too", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    try {
      for (const found of [{ stdout: JSON.stringify([STOPPED]) }, { stderr: "no such container", exitCode: 1 }]) {
        using shim = createShim("podman", [{ when: "info*", stdout: podmanInfo() }, { when: "container inspect*", ...found }, ...NEW]);
        await expect(provision(shim, `&port=${port}`)).rejects.toMatchObject({ code: "ALREADY_EXISTS", details: { requirement: "host.port" } });
        expect(shim.calls().filter(([verb]) => verb === "run" || verb === "start")).toEqual([]);
      }
    } finally {
      server.close();
    }
  });

  test("a Podman that doesn't describe itself is taken as it is", async () => {
    using shim = createShim("podman", [{ when: "info*", stderr: "Error: no\n", exitCode: 125 }, ...NEW]);
    expect(await provision(shim)).toEqual([]);
  });

  test("what Podman says of itself, in Docker's words", () => {
    const info = { cgroupVersion: "v2", cgroupManager: "systemd", security: { rootless: true } };
    expect(parsePodmanInfo(JSON.stringify({ host: info, store: { graphRoot: "/root", volumePath: "/root/volumes" } }))).toMatchObject({
      CgroupVersion: "2",
      CgroupDriver: "systemd",
      SecurityOptions: ["name=rootless"],
      DockerRootDir: "/root/volumes",
    });
    expect(parsePodmanInfo(JSON.stringify({ host: { ...info, cgroupControllers: [] } }))).toMatchObject({ CgroupDriver: "none" });
    expect(parsePodmanInfo("{}")).toMatchObject({ SecurityOptions: [] });
  });
});

describe("an engine that somebody else has started", () => {
  const answers: readonly ShimAnswer[] = [
    { when: "container inspect*", stdout: JSON.stringify([RUNNING]) },
    { when: "volume inspect*", stderr: "no such volume\n", exitCode: 1 },
    { when: "logs --since 2026-01-02T03:04:05Z c0ffee", stdout: DISCARDED },
  ];

  test.each(["podman-image://example.com/engine:v1", `podman-container://${NAME}`])("its lost cache is told once, of %s", async (url) => {
    using shim = createShim("podman", answers);
    const told = await provision(shim, "", url);
    expect(told).toMatchObject([{ id: `cache-discarded-${NAME}`, message: expect.stringContaining("dagql_unclean_shutdown") }]);
    expect(await provision(shim, "", url)).toEqual([]);
  });

  test("what is not ours, or was never restarted, is not read", async () => {
    for (const found of [
      { ...RUNNING, RestartCount: 0 },
      { ...RUNNING, Config: {} },
    ]) {
      using shim = createShim("podman", [{ when: "container inspect*", stdout: JSON.stringify([found]) }, ...answers]);
      expect(await provision(shim, "", `podman-container://${NAME}`)).toEqual([]);
      expect(shim.calls().map(([verb]) => verb)).not.toContain("logs");
    }
  });
});

describe.skipIf(skipReason !== undefined)(`engines on one disk, real Podman${skipReason === undefined ? "" : ` (${skipReason})`}`, () => {
  const driver = createContainerCliDriver("podman", { env: podmanEnv });

  test("each gets limits before it starts, and again when it is started anew; a file of the user's stays", { timeout: 240_000 }, async () => {
    // Goes last: the second engine uses it.
    await using folder = createSite();
    await using first = createSite();
    await using second = createSite();
    const image = await ensureConformanceEngineImage({ store: podmanImages });
    // The image of the tests has no such folder.
    await podman(["volume", "create", folder.name]);
    const start = async (site: TestSite, query: string) =>
      driver.provision(await driver.parse(parseRunnerUrl(`podman-image://${image}?container=${site.name}&network=none${query}`)), {});
    const limits = async (site: TestSite) => (JSON.parse(await podman(["exec", site.name, "cat", "/etc/dagger/engine.json"])) as { readonly gc?: object }).gc;
    await start(first, "");
    const handle = await start(second, `&mount=${folder.name}:/etc/dagger`);
    expect(await limits(second)).toMatchObject({ maxUsedSpace: expect.stringMatching(/^\d\d?%$/), minFreeSpace: "20%" });
    await podman(["exec", second.name, "sh", "-c", 'echo \'{"gc":{"enabled":false}}\' > /etc/dagger/engine.json']);
    await driver.stop?.(handle, { graceMs: 60_000 });
    expect((await start(second, `&mount=${folder.name}:/etc/dagger`)).id).toBe(handle.id);
    expect(await limits(second)).toEqual({ enabled: false });
  });
});
