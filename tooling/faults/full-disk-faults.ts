import { randomUUID } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createDockerClient, resolveDockerEndpoint, type DockerClient } from "@anyrunner/docker-endpoint";
import { createDockerDriver } from "@anyrunner/driver-docker";
import { createEmbeddedDriver } from "@anyrunner/driver-embedded";
import { createContainerCliDriver } from "@anyrunner/driver-podman";
import { runProgram } from "@anyrunner/exec";
import { ensureBusyboxImage, privilegedContainersRefused, startTestRegistry, tarFolder } from "@anyrunner/testkit";

import type { Fault } from "./fault.ts";
import { makeFolder } from "./socket-faults.ts";

type CleanUp = Parameters<Fault["prepare"]>[0];

const DOCKER_HOST = "unix:///var/run/docker.sock";
const noRoot = process.getuid?.() === 0 ? undefined : "only root can mount a small disk";
const noDocker = process.env["ANYRUNNER_TEST_DOCKER"] === "skip" ? "ANYRUNNER_TEST_DOCKER=skip" : undefined;
const noEngines = noDocker ?? (await privilegedContainersRefused());
const noPodman = process.env["ANYRUNNER_TEST_PODMAN"] === "skip" ? "ANYRUNNER_TEST_PODMAN=skip" : undefined;
const TOO_MUCH = 4 * 2 ** 20;
/** Stands for an engine that needs more than its state folder has, in an engine's words. */
const HUNGRY = ["sh", "-c", "dd if=/dev/zero of=/var/lib/dagger/state bs=1k count=4096; exit 1"];

/** Disks of a few kilobytes that really are full. */
export const FULL_DISK_FAULTS: readonly Fault[] = [
  {
    fault: "full disk: no room for the engine's state at its start",
    scheme: "docker-image",
    skipped: noEngines,
    async prepare(cleanUp) {
      const client = createDockerClient(await resolveDockerEndpoint({ env: { DOCKER_HOST } }));
      cleanUp(() => client.close());
      const name = `anyrunner-test-${randomUUID().slice(0, 8)}`;
      const image = await makeHungryImage(client, cleanUp, name);
      const options = { type: "tmpfs", device: "tmpfs", o: "size=64k" };
      await client.json({ method: "POST", path: "/volumes/create", json: { Name: name, Driver: "local", DriverOpts: options } });
      cleanUp(() => remove(client, `/volumes/${name}`));
      return {
        driver: createDockerDriver({ env: { DOCKER_HOST } }),
        url: `docker-image://${image}?container=${name}&volume=${name}&pull=never&network=none`,
        leftovers: async () => {
          const { status, body } = await client.request({ path: `/containers/${name}/json`, expect: [404] });
          body.resume();
          return status === 404 ? 0 : 1;
        },
      };
    },
  },
  {
    fault: "full disk: no room for the image in a pull",
    scheme: "podman-image",
    skipped: noRoot ?? noPodman,
    async prepare(cleanUp) {
      const disk = await mountDisk(cleanUp, "1m");
      const files = await makeFolder(cleanUp);
      await mkdir(join(files, "root"));
      await writeFile(join(files, "root", "engine"), Buffer.alloc(TOO_MUCH));
      const registry = await startTestRegistry({ layer: await tarFolder(join(files, "root")), entrypoint: ["/engine"] });
      cleanUp(() => registry[Symbol.asyncDispose]());
      const env = {
        ...process.env,
        CONTAINERS_STORAGE_CONF: await write(files, "storage.conf", `[storage]\ndriver="vfs"\ngraphroot="${disk}/root"\nrunroot="${disk}/run"\n`),
        CONTAINERS_REGISTRIES_CONF: await write(files, "registries.conf", `[[registry]]\nlocation="${registry.host}"\ninsecure=true\n`),
      };
      return {
        driver: createContainerCliDriver("podman", { env }),
        url: `podman-image://${registry.host}/engine:v1?container=anyrunner-test-0000000`,
        leftovers: async () => (await runProgram({ command: "podman", args: ["images", "--quiet", "--all"], env })).stdout.length,
      };
    },
  },
  {
    fault: "full disk: no room for an export on this machine",
    scheme: "embedded",
    skipped: noRoot ?? noDocker,
    async prepare(cleanUp) {
      const disk = await mountDisk(cleanUp, "64k");
      return { ...embedded(cleanUp, await makeFolder(cleanUp)), query: query(`export(path: "${disk}/out")`), leftovers: () => countFiles(disk) };
    },
  },
  {
    fault: "full disk: no room for what the embedded runner keeps",
    scheme: "embedded",
    skipped: noRoot ?? noDocker,
    async prepare(cleanUp) {
      const [disk, source] = await Promise.all([mountDisk(cleanUp, "64k"), makeFolder(cleanUp)]);
      await writeFile(join(source, "large"), Buffer.alloc(TOO_MUCH));
      const leftovers = async () => countFiles(join(disk, "blobs"));
      return { ...embedded(cleanUp, disk), query: `{ host { directory(path: "${source}") { entries } } }`, leftovers };
    },
  },
];

function embedded(cleanUp: CleanUp, state: string) {
  const driver = createEmbeddedDriver({ env: { DOCKER_HOST } });
  cleanUp(() => driver.close());
  return { driver, url: `embedded://?state=${state}` };
}

function query(action: string): string {
  return `{ directory { withNewFile(path: "large", contents: "${"x".repeat(TOO_MUCH / 16)}") { ${action} } } }`;
}

async function mountDisk(cleanUp: CleanUp, size: string): Promise<string> {
  const folder = await makeFolder(cleanUp);
  await runProgram({ command: "mount", args: ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder] });
  // Podman mounts its storage in itself.
  cleanUp(() => runProgram({ command: "umount", args: ["--lazy", "--recursive", folder] }));
  return folder;
}

async function write(folder: string, name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

async function countFiles(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).length;
}

async function makeHungryImage(client: DockerClient, cleanUp: CleanUp, tag: string): Promise<string> {
  const { Id: container } = await client.json<{ readonly Id: string }>({
    method: "POST",
    path: "/containers/create",
    json: { Image: await ensureBusyboxImage() },
  });
  cleanUp(() => remove(client, `/containers/${container}`));
  const changes = `ENTRYPOINT ${JSON.stringify(HUNGRY)}`;
  await client.json({ method: "POST", path: "/commit", query: { container, repo: "anyrunner-test-hungry", tag, changes }, json: {} });
  cleanUp(() => remove(client, `/images/anyrunner-test-hungry:${tag}`));
  return `anyrunner-test-hungry:${tag}`;
}

async function remove(client: DockerClient, path: string): Promise<void> {
  (await client.request({ method: "DELETE", path, query: { force: true }, expect: [404] })).body.resume();
}
