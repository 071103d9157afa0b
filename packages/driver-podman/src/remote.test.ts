import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseRunnerUrl } from "@anyrunner/core/driver";
import { runProgram, spawnProgram, type SpawnedProgram } from "@anyrunner/exec";
import { ensureConformanceEngineImage } from "@anyrunner/testkit";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { createContainerCliDriver } from "./driver.ts";
import type { ContainerHandle } from "./handle.ts";
import { createSite, podman, podmanEnv, podmanImages, skipReason, type TestSite } from "./test-podman.ts";

const CONNECTION = "anyrunner-test";
/** Two dozen commands, each of which may take seconds on a busy machine. */
const timeout = 240_000;

/** A service of the real Podman, reached by a connection that only this test's configuration has. */
describe.skipIf(skipReason !== undefined)(`a Podman behind its own connection${skipReason === undefined ? "" : ` (${skipReason})`}`, () => {
  let folder: string;
  let service: SpawnedProgram;
  let env: Readonly<Record<string, string | undefined>>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
    const uri = `unix://${folder}/podman.sock`;
    const given = podmanEnv["CONTAINERS_CONF"];
    const settings = given === undefined ? "" : await readFile(given, "utf8");
    await writeFile(join(folder, "containers.conf"), `${settings}\n[engine.service_destinations.${CONNECTION}]\nuri = "${uri}"\n`);
    env = { ...podmanEnv, CONTAINERS_CONF: join(folder, "containers.conf") };
    service = await spawnProgram({ command: "podman", args: ["system", "service", "--time=0", uri], env, stdio: ["ignore", "ignore", "ignore"] });
    const answers = async () => (await runProgram({ command: "podman", args: ["--connection", CONNECTION, "version"], env })).exitCode;
    await vi.waitFor(async () => expect(await answers()).toBe(0), { timeout: 60_000 });
  });
  afterAll(async () => {
    await service.end();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  const provision = async (site: TestSite, query = ""): Promise<ContainerHandle> => {
    const image = await ensureConformanceEngineImage({ store: podmanImages });
    const driver = createContainerCliDriver("podman", { env });
    const url = `podman-image://${image}?container=${site.name}&network=none&connection=${CONNECTION}${query}`;
    return driver.provision(await driver.parse(parseRunnerUrl(url)), {});
  };

  test("an engine is made, streamed to, stopped, started and removed there", { timeout }, async () => {
    await using site = createSite();
    const driver = createContainerCliDriver("podman", { env });
    const handle = await provision(site);
    expect(handle).toMatchObject({ owned: true, endpoint: { name: site.name, place: CONNECTION }, id: `${CONNECTION}/${handle.endpoint.container}` });
    expect(await provision(site)).toEqual(handle);

    const { stream, closed } = await driver.connect(handle, {});
    stream.end(`ECHO\n${"x".repeat(1_000_000)}`);
    expect(Buffer.concat(await stream.toArray())).toHaveLength(1_000_000);
    expect(await closed).toEqual({ kind: "end" });

    await driver.stop?.(handle, { graceMs: 60_000 });
    expect(await driver.inspect?.(handle, {})).toMatchObject({ status: "stopped" });
    expect(await provision(site)).toEqual(handle);
    await driver.destroy?.(handle, { volume: true });
    expect(await driver.inspect?.(handle, {})).toEqual({ status: "missing" });
  });

  test("limits of a shared disk are written there, too", { timeout }, async () => {
    // Goes last: the second engine uses it.
    await using settings = createSite();
    await using first = createSite();
    await using second = createSite();
    await podman(["volume", "create", settings.name]);
    await provision(first);
    await provision(second, `&mount=${settings.name}:/etc/dagger`);
    expect(JSON.parse(await podman(["exec", second.name, "cat", "/etc/dagger/engine.json"]))).toMatchObject({ gc: { minFreeSpace: "20%" } });
  });

  test("a service that doesn't answer is told by the name of its connection, at once", { timeout }, async () => {
    const driver = createContainerCliDriver("podman", { env: { ...env, CONTAINERS_CONF: join(folder, "broken.conf") } });
    await writeFile(join(folder, "broken.conf"), `[engine.service_destinations.${CONNECTION}]\nuri = "unix://${folder}/no.sock"\n`);
    const target = await driver.parse(parseRunnerUrl(`podman-container://x?connection=${CONNECTION}`));
    const expected = { code: "CONNECTION_REFUSED", hint: expect.stringContaining("podman system service") };
    expect(await driver.probe(target, {})).toMatchObject({ ...expected, reason: `no Podman answers at the connection "${CONNECTION}"` });
    await expect(driver.provision(target, {})).rejects.toMatchObject({ ...expected, retryable: false });
  });
});
