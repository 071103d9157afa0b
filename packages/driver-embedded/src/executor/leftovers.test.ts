import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import type { DockerClient } from "@anyrunner/docker-endpoint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { removeContainer } from "./segment-container.ts";
import { sweepDeadSessions } from "./sweep.ts";
import { createTestExecutor, remove, run, SKIP_DOCKER, type TestExecutor } from "./test-executor.ts";

describe.skipIf(SKIP_DOCKER)("what dead runners leave on a real daemon", () => {
  let world: TestExecutor;

  beforeAll(async () => {
    world = await createTestExecutor();
  });
  afterAll(() => world.close());

  test("a killed runner leaves no container", async () => {
    const label = `anyrunner.test=${randomUUID()}`;
    const child = spawn(process.execPath, [fileURLToPath(new URL("./runner-process.fixture.ts", import.meta.url)), label.slice("anyrunner.test=".length)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const [id = ""] = await containersWith(world.client, label);
    expect(id).not.toBe("");
    const gone = world.client.request({ method: "POST", path: `/containers/${id}/wait`, query: { condition: "removed" } });
    child.kill("SIGKILL");
    for await (const _chunk of (await gone).body) continue;
    expect(await containersWith(world.client, label)).toEqual([]);
  });

  test("the sweep takes the containers of dead processes, and nothing else", async () => {
    const mark = `anyrunner.test=${randomUUID()}`;
    const create = async (labels: Record<string, string>) => {
      const [name = "", value = ""] = mark.split("=");
      const { Id } = await world.client.json<{ Id: string }>({
        method: "POST",
        path: "/containers/create",
        query: { name: `anyrunner-test-${randomUUID()}` },
        json: { Image: world.busybox.image, Cmd: ["true"], Labels: { ...labels, [name]: value } },
      });
      return Id;
    };
    const dead = await create({ "anyrunner.owner": "embedded", "anyrunner.process": "dead" });
    const alive = await create({ "anyrunner.owner": "embedded", "anyrunner.process": "alive" });
    const unknown = await create({ "anyrunner.owner": "embedded" });
    const others = await create({ "anyrunner.owner": "someone", "anyrunner.process": "dead" });
    await sweepDeadSessions(world.client, { own: async () => "own", isDead: async (process) => process === "dead" });
    const left = await containersWith(world.client, mark);
    expect(left).not.toContain(dead);
    expect(left.toSorted()).toEqual([alive, unknown, others].toSorted());
    for (const id of left) await removeContainer(world.client, id);
  });

  test("a segment that could not be opened leaves no container", async () => {
    const mounts = [{ kind: "cache", path: "relative", volume: "anyrunner-cache-test" }] as const;
    await expect(world.open(world.busybox, { mounts })).rejects.toThrow();
    await expect(world.open({ image: `sha256:${"0".repeat(64)}`, layers: 1 })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(
      world.executor.open(world.busybox, { mounts: [], privileged: false, network: "none", expectedSteps: 1 }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: "ABORTED" });
    await world.executor.close();
    await world.expectNoContainers();
  });

  describe("the volume of the holder", () => {
    const holderVolume = `anyrunner-test-${randomUUID()}`;
    afterAll(() => remove(world.client, `/volumes/${holderVolume}`));

    test("is filled by whoever comes first, however many come at once", async () => {
      const executors = await Promise.all(Array.from({ length: 6 }, () => createTestExecutor({ holderVolume })));
      try {
        const outputs = await Promise.all(
          executors.map(async (executor) => {
            const segment = await executor.open();
            const { stdout } = await run(segment, "echo here");
            await segment.close();
            return stdout;
          }),
        );
        expect(outputs).toEqual(Array.from({ length: 6 }, () => "here\n"));
      } finally {
        await Promise.all(executors.map((executor) => executor.close()));
      }
    });

    test("is filled again when someone emptied it", async () => {
      const other = await createTestExecutor({ holderVolume });
      const first = await other.open();
      await first.close();
      const { Id } = await other.client.json<{ Id: string }>({
        method: "POST",
        path: "/containers/create",
        json: { Image: other.busybox.image, Cmd: ["rm", "-f", "/v/holder"], HostConfig: { Mounts: [{ Type: "volume", Source: holderVolume, Target: "/v" }] } },
      });
      (await other.client.request({ method: "POST", path: `/containers/${Id}/start` })).body.resume();
      const waited = await other.client.request({ method: "POST", path: `/containers/${Id}/wait` });
      for await (const _chunk of waited.body) continue;
      await removeContainer(other.client, Id);
      const second = await other.open();
      await second.close();
      await other.executor.close();
      await other.expectNoContainers();
      await other.close();
    });
  });
});

async function containersWith(client: DockerClient, label: string): Promise<readonly string[]> {
  const found = await client.json<readonly { readonly Id: string }[]>({ path: "/containers/json", query: { all: true, filters: { label: [label] } } });
  return found.map(({ Id }) => Id);
}
