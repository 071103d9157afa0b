import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createDockerClient, resolveDockerEndpoint } from "@anyrunner/docker-endpoint";
import { ensureConformanceEngineImage } from "@anyrunner/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

import { createCliHarness, type CliHarness } from "../test-cli.ts";

let cli: CliHarness;
beforeAll(async () => {
  cli = await createCliHarness();
});
afterAll(() => cli.remove());

const NO_DOCKER = { DOCKER_HOST: "tcp://127.0.0.1:1" };

test("a Containerfile is printed without Docker; a version means the official image", async () => {
  const { exitCode, stdout } = await cli.run(["image", "containerfile", "0.21.8", "--gpu", "--env", "A=1", "--label", "b=2"], { env: NO_DOCKER });
  expect(exitCode).toBe(0);
  expect(stdout).toContain("FROM registry.dagger.io/engine:v0.21.8-gpu\n");
  expect(stdout).toContain('A="1"');
  expect(stdout).toContain('LABEL b="2"');
});

test("the version is the project's where none is given, and the image that of its configuration", async () => {
  const cwd = join(cli.home, "project");
  await mkdir(cwd);
  await writeFile(join(cwd, "anyrunner.config.yaml"), 'image: "mirror.example.com/engine:{version}"\n');
  await writeFile(join(cwd, "dagger.json"), '{"name": "x", "engineVersion": "v0.20.1"}');
  const { stdout } = await cli.run(["image", "containerfile", "--json"], { cwd, env: NO_DOCKER });
  expect((JSON.parse(stdout) as { readonly containerfile: string }).containerfile).toContain("FROM mirror.example.com/engine:v0.20.1\n");
});

test("--output writes the Containerfile and what it copies, programs as programs", async () => {
  await writeFile(join(cli.home, "tool"), "#!/bin/sh\n", { mode: 0o755 });
  await writeFile(join(cli.home, "engine.toml"), "debug = true\n");
  const args = ["image", "containerfile", "0.21.8", "--add", "tool:/usr/local/bin/tool", "--config", "engine.toml", "-o", "out"];
  const { exitCode, stdout, stderr } = await cli.run(args, { env: NO_DOCKER });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("docker build") });
  const folder = stdout.trim();
  expect((await readdir(folder, { recursive: true })).toSorted()).toEqual(["Containerfile", "engine", "engine/engine.toml", "files", "files/0"]);
  expect(await readFile(join(folder, "Containerfile"), "utf8")).toContain("COPY files/0 /usr/local/bin/tool\n");
  expect(await readFile(join(folder, "files/0"), "utf8")).toBe("#!/bin/sh\n");
});

test.each<[string, readonly string[], string, number]>([
  ["a file that isn't there", ["containerfile", "0.21.8", "--ca", "none.pem"], "NOT_FOUND", 1],
  ["a folder without certificates", ["containerfile", "0.21.8", "--ca", "."], "USAGE", 2],
  ["configuration of no kind", ["containerfile", "0.21.8", "--config", "engine.ini"], "USAGE", 2],
  ["configuration that is no JSON", ["containerfile", "0.21.8", "--config", "broken.json"], "INVALID_CONFIG", 1],
  ["a file without a place", ["containerfile", "0.21.8", "--add", "tool"], "USAGE", 2],
  ["a variable that isn't set", ["containerfile", "0.21.8", "--env", "NOT_SET_HERE"], "USAGE", 2],
  ["packages in the engine's image", ["build", "0.21.8", "--strategy", "overlay", "--package", "a=/a"], "UNSUPPORTED", 1],
  ["GPUs on arm64", ["build", "0.21.8", "--gpu", "--platform", "linux/arm64"], "UNSUPPORTED", 1],
  ["a push without a registry", ["push", "engine:1"], "INVALID_OPTION", 1],
  ["no daemon", ["build", "0.21.8"], "CONNECTION_REFUSED", 1],
])("%s is a typed failure", async (_what, args, code, expected) => {
  await writeFile(join(cli.home, "engine.ini"), "");
  await writeFile(join(cli.home, "broken.json"), "{");
  const { exitCode, stdout, stderr } = await cli.run(["image", ...args, "--json"], { env: NO_DOCKER });
  expect({ exitCode, text: `${stdout}${stderr}` }).toMatchObject({ exitCode: expected, text: expect.stringContaining(`"code":"${code}"`) });
});

test("completion knows the commands and their choices", async () => {
  const { stdout } = await cli.run(["complete", "--", "image", ""]);
  for (const name of ["containerfile", "build", "verify", "push"]) expect(stdout).toContain(name);
  expect((await cli.run(["complete", "--", "image", "build", "--strategy", ""])).stdout).toContain("rebase");
});

test.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")(
  "what was built and fails its checks stays, is told of, and is not pushed",
  { timeout: 600_000 },
  async () => {
    const engine = await ensureConformanceEngineImage();
    const tag = `127.0.0.1:1/anyrunner-test-images:${randomUUID().slice(0, 8)}`;
    const client = createDockerClient(await resolveDockerEndpoint({ env: process.env }));
    try {
      const args = ["image", "build", engine, "--pull", "never", "--env", "A=1", "--tag", tag, "--push", "--json"];
      const { exitCode, stdout } = await cli.run(args);
      const built = JSON.parse(stdout) as { readonly checks: readonly { readonly id: string; readonly status: string }[] };
      expect({ exitCode, built }).toMatchObject({ exitCode: 1, built: { tag, engine, ok: false } });
      expect(built.checks).toContainEqual(expect.objectContaining({ id: "image.entrypoint", status: "ok" }));
      expect(built.checks).toContainEqual(expect.objectContaining({ id: "image.engine", status: "failed" }));
      expect(built).not.toHaveProperty("pushed");
      const { Config } = await client.json<{ readonly Config: { readonly Env: readonly string[] } }>({ path: `/images/${tag}/json` });
      expect(Config.Env).toContain("A=1");
    } finally {
      (await client.request({ method: "DELETE", path: `/images/${tag}`, expect: [404] })).body.resume();
      client.close();
    }
  },
);
