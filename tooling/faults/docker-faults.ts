import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

import { createDockerClient, resolveDockerEndpoint, type DockerClient } from "@anyrunner/docker-endpoint";
import { createDockerDriver } from "@anyrunner/driver-docker";
import { createContainerCliDriver } from "@anyrunner/driver-podman";
import { createEngineDouble, ensureBusyboxImage, tarFolder } from "@anyrunner/testkit";

import type { Fault, Scene } from "./fault.ts";
import { forever, makeFolder } from "./socket-faults.ts";

type CleanUp = Parameters<Fault["prepare"]>[0];

interface EngineContainer {
  readonly name: string;
  /** Makes the container's own program do it: it waits for a file. */
  trigger(file: string): Promise<void>;
  act(action: string): Promise<void>;
  /** Whether the daemon has heard that the kernel killed something in it. */
  isKnownToLackMemory(): Promise<boolean>;
}

const SOCKET = "/var/run/docker.sock";
const skipped = process.env["ANYRUNNER_TEST_DOCKER"] === "skip" ? "ANYRUNNER_TEST_DOCKER=skip" : undefined;
/** Ends as it is told, or eats all memory. It outlives what the kernel kills then: Docker misses the kernel's word when the container ends with it. */
const MAIN = "while :; do [ -e /hungry ] && { exec 2>/dev/null; tail /dev/zero; exec sleep 3600; }; [ -e /broken ] && exit 3; sleep 0.1; done";

const OOM_BUDGET_MS = 120_000;

export const DOCKER_FAULTS: readonly Fault[] = [
  dockerFault("no Docker daemon", "docker-container", async () => ({ url: "docker-container://engine?host=unix:///no/such/docker.sock" })),
  dockerFault("no such container", "docker-container", async () => ({
    // Other tests have containers of their own meanwhile, and none of theirs is to be what was meant.
    url: "docker-container://nobody-calls-a-container-so",
  })),
  dockerFault("a container that is stopped", "docker-container", async (cleanUp) => {
    const { name, act } = await runEngineContainer(cleanUp);
    await act("kill");
    return { url: `docker-container://${name}` };
  }),
  dockerFault("image not found: a registry that isn't there", "docker-image", async () => ({
    url: "docker-image://127.0.0.1:1/engine:v0.21.8?container=anyrunner-test-0000000",
  })),
  dockerFault("the container is killed during a query", "docker-container", async (cleanUp) => {
    const { name, act } = await runEngineContainer(cleanUp);
    return { url: `docker-container://${name}`, strike: () => act("kill") };
  }),
  dockerFault("its own program fails during a query", "docker-container", async (cleanUp) => {
    const { name, trigger } = await runEngineContainer(cleanUp);
    return { url: `docker-container://${name}`, strike: () => trigger("/broken") };
  }),
  dockerFault("OOM during a query", "docker-container", async (cleanUp) => {
    const { name, trigger, act, isKnownToLackMemory } = await runEngineContainer(cleanUp, { Memory: 32 * 2 ** 20, MemorySwap: 32 * 2 ** 20 });
    const strike = async () => {
      await trigger("/hungry");
      const giveUpAt = performance.now() + OOM_BUDGET_MS;
      while (!(await isKnownToLackMemory())) {
        if (performance.now() > giveUpAt) throw new Error(`the daemon has not heard within ${OOM_BUDGET_MS / 1000} s that the kernel killed something`);
        await delay(50);
      }
      await act("kill");
    };
    return { url: `docker-container://${name}`, strike };
  }),
  dockerFault("the daemon goes away during a query", "docker-container", async (cleanUp) => {
    const { name } = await runEngineContainer(cleanUp);
    const { path, cut } = await passOn(cleanUp);
    return { url: `docker-container://${name}?host=unix://${path}`, strike: cut };
  }),
  {
    fault: "binary missing: no podman here",
    scheme: "podman-container",
    prepare: async () => ({ url: "podman-container://engine", driver: createContainerCliDriver("podman", { env: { PATH: "/nowhere" } }) }),
  },
];

function dockerFault(name: string, scheme: string, prepare: (cleanUp: CleanUp) => Promise<Omit<Scene, "driver">>): Fault {
  const env = { DOCKER_HOST: `unix://${SOCKET}` };
  return { fault: name, scheme, skipped, prepare: async (cleanUp) => ({ driver: createDockerDriver({ env }), ...(await prepare(cleanUp)) }) };
}

/** A container whose relay leads to an engine double in this process. */
async function runEngineContainer(cleanUp: CleanUp, limits: object = {}): Promise<EngineContainer> {
  const engine = createEngineDouble(forever);
  cleanUp(() => engine.kill());
  const port = (await engine.listen()).split(":").at(-1);
  const client = createDockerClient(await resolveDockerEndpoint({ env: { DOCKER_HOST: `unix://${SOCKET}` } }));
  const name = `anyrunner-test-${randomUUID().slice(0, 8)}`;
  const { Id: id } = await client.json<{ readonly Id: string }>({
    method: "POST",
    path: "/containers/create",
    query: { name },
    json: { Image: await ensureBusyboxImage(), Cmd: ["sh", "-c", MAIN], HostConfig: { NetworkMode: "host", ...limits } },
  });
  cleanUp(() => client.close());
  cleanUp(async () => (await client.request({ method: "DELETE", path: `/containers/${id}`, query: { force: true, v: true } })).body.resume());
  await putRelay(client, id, `#!/bin/sh\nexec nc 127.0.0.1 ${port}\n`, cleanUp);
  const act = async (action: string) => void (await client.request({ method: "POST", path: `/containers/${id}/${action}` })).body.resume();
  await act("start");
  const filters = JSON.stringify({ container: [id], event: ["oom"] });
  const isKnownToLackMemory = async () => {
    const { body } = await client.request({ path: "/events", query: { since: 1, until: Math.floor(Date.now() / 1000), filters } });
    return (await text(body)).includes('"oom"');
  };
  return { name, act, trigger: (file) => touch(client, id, file), isKnownToLackMemory };
}

/** Before the start, so that nobody comes before it is there. */
async function putRelay(client: DockerClient, id: string, script: string, cleanUp: CleanUp): Promise<void> {
  const folder = await makeFolder(cleanUp);
  await writeFile(join(folder, "buildctl"), script, { mode: 0o755 });
  const body = Readable.from([await tarFolder(folder)]);
  (await client.request({ method: "PUT", path: `/containers/${id}/archive`, query: { path: "/usr/bin" }, body })).body.resume();
}

async function touch(client: DockerClient, id: string, file: string): Promise<void> {
  const { Id: exec } = await client.json<{ readonly Id: string }>({ method: "POST", path: `/containers/${id}/exec`, json: { Cmd: ["touch", file] } });
  (await client.request({ method: "POST", path: `/exec/${exec}/start`, json: { Detach: true } })).body.resume();
}

/** Another socket for the daemon, which can go away without harming anyone. */
async function passOn(cleanUp: CleanUp): Promise<{ readonly path: string; readonly cut: () => void }> {
  const path = join(await makeFolder(cleanUp), "docker.sock");
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ path: SOCKET });
    for (const socket of [near, far]) sockets.add(socket.on("error", () => {}));
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
    near.pipe(far).pipe(near);
  }).listen({ path });
  await once(server, "listening");
  const cut = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  cleanUp(cut);
  return { path, cut };
}
