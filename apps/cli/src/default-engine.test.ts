import { randomInt, randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createDockerClient, resolveDockerEndpoint, type DockerClient } from "@anyrunner/docker-endpoint";
import { ENGINE_LABELS, ENGINE_ROLE } from "@anyrunner/engine-container";
import { ensureBusyboxImage } from "@anyrunner/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createCliHarness, type CliHarness } from "./test-cli.ts";

let cli: CliHarness;
let docker: DockerClient;
beforeAll(async () => {
  cli = await createCliHarness();
  docker = createDockerClient(await resolveDockerEndpoint({ env: {} }));
});
afterAll(async () => {
  docker.close();
  await cli.remove();
});

interface ChosenFact {
  readonly value: string | null;
  readonly from?: { readonly kind: string; readonly name: string };
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** What a project with these files would use, by default in a machine without any runtime. */
async function chosenIn(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = { DOCKER_HOST: "tcp://127.0.0.1:1", PATH: "" },
): Promise<ChosenFact> {
  const cwd = join(cli.home, randomUUID());
  await mkdir(cwd);
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
  const { stdout } = await cli.run(["env", "--json"], { cwd, env });
  return (JSON.parse(stdout) as { runner: ChosenFact }).runner;
}

const moduleOf = (version: string) => JSON.stringify({ engineVersion: version });

test("without a runtime every candidate says why, and every remedy is named", async () => {
  const { value, error } = await chosenIn({ "dagger.json": moduleOf("v0.20.1") });
  expect([value, error?.code]).toEqual([null, "NO_RUNNER"]);
  expect(error?.message).toMatch(/no engine v0\.20\.1 runs on Docker here[^]*docker: [^]*127\.0\.0\.1:1/);
  expect(error?.hint).toMatch(/--runner embedded:\/\/[^]*--runner URL[^]*anyrunner\.config\.yaml/);
});

test("versions that no engine serves together are refused with the window", async () => {
  const files = { "dagger.json": moduleOf("v0.18.3"), "go.mod": "require dagger.io/dagger v0.21.8\n" };
  expect((await chosenIn(files)).error).toMatchObject({ code: "VERSION_MISMATCH", message: expect.stringContaining("accepts clients from v0.19.0 on") });
});

test("a runner that is configured anywhere is never replaced", async () => {
  const files = { "dagger.json": moduleOf("v0.21.8"), "anyrunner.config.yaml": "runner: tcp://127.0.0.1:1\n" };
  expect(await chosenIn(files, {})).toMatchObject({ value: "tcp://127.0.0.1:1", from: { kind: "project" } });
});

describe.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")("with Docker (left out by ANYRUNNER_TEST_DOCKER=skip)", () => {
  // No real engine has this version, so nobody else's container is found.
  const version = `v0.99.${randomInt(1_000_000)}`;

  test("the matched image is the default, from the project's mirror, with GPU drivers when asked for", async () => {
    const files = { "dagger.json": moduleOf(version), "anyrunner.config.yaml": 'image: "registry.corp:5000/dagger/engine:{version}"\n' };
    expect(await chosenIn(files, {})).toMatchObject({
      value: `image://registry.corp:5000/dagger/engine:${version}`,
      from: { kind: "default", name: expect.stringContaining(`engine ${version} (module, `) },
    });
    const gpu = await chosenIn({ "dagger.json": moduleOf(version) }, { _EXPERIMENTAL_DAGGER_GPU_SUPPORT: "1" });
    expect(gpu.value).toBe(`image://registry.dagger.io/engine:${version}-gpu`);
  });

  test("an engine of exactly that version that runs already wins", async () => {
    const name = `anyrunner-test-${randomUUID()}`;
    const labels = { [ENGINE_LABELS.role]: ENGINE_ROLE, [ENGINE_LABELS.image]: `registry.dagger.io/engine:${version}` };
    const image = await ensureBusyboxImage();
    await docker.json({ method: "POST", path: "/containers/create", query: { name }, json: { Image: image, Cmd: ["sleep", "600"], Labels: labels } });
    try {
      (await docker.request({ method: "POST", path: `/containers/${name}/start` })).body.resume();
      // A Docker that is slow to answer counts as none, and a busy one may be.
      await expect
        .poll(() => chosenIn({ "dagger.json": moduleOf(version) }, {}))
        .toMatchObject({ value: `docker-container://${name}`, from: { kind: "running" } });
    } finally {
      (await docker.request({ method: "DELETE", path: `/containers/${name}`, query: { force: true } })).body.resume();
    }
  });
});
