import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createDockerClient, resolveDockerEndpoint } from "@anyrunner/docker-endpoint";
import {
  createEngineDouble,
  ensureBusyboxImage,
  expectNothingLeft,
  freePort,
  takeInventory,
  type EngineDouble,
  type EngineDoubleOptions,
  type Inventory,
} from "@anyrunner/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createCliHarness, streamsClosed, type CliHarness, type CliResult } from "./test-cli.ts";

let cli: CliHarness;
let before: Inventory;
const doubles: EngineDouble[] = [];
beforeAll(async () => {
  cli = await createCliHarness();
  // What this process opens once, for its first child, is not counted.
  await cli.run(["--version"]);
});
afterAll(() => cli.remove());
beforeEach(async () => {
  before = await takeInventory();
});
afterEach(async () => {
  for (const double of doubles.splice(0)) {
    await streamsClosed(double);
    await double.kill();
  }
  await expectNothingLeft(before);
});

/** No container runtime can be reached, so that nothing is found where nothing is named. */
const NO_RUNTIME = { DOCKER_HOST: "tcp://127.0.0.1:1", PATH: "" };

const query = (runner: string) => cli.run(["query", "--runner", runner], { input: "{ version }" });

async function startDouble(options: EngineDoubleOptions): Promise<{ double: EngineDouble; url: string }> {
  const double = createEngineDouble(options);
  doubles.push(double);
  return { double, url: await double.listen() };
}

test.each([
  ["--workdir", ["--workdir", "/no/such/folder", "ls"], {}],
  ["DAGGER_WORKDIR", ["ls"], { DAGGER_WORKDIR: "/no/such/folder" }],
])("a working directory that isn't there, by %s", async (name, args, env) => {
  expect(shown(await cli.run(args, { env: { ...NO_RUNTIME, ...env } }))).toMatchObject({
    exitCode: 2,
    stdout: "",
    error: "there is no folder /no/such/folder to work in",
    hint: expect.stringContaining(name),
  });
});

/** The parts of the message, each only once. */
function shown({ exitCode, stdout, stderr }: CliResult): { exitCode: number; stdout: string; error: string; hint: string; code: string } {
  const line = (label: string) => {
    const lines = stderr.split("\n").filter((text) => text.startsWith(`${label}: `));
    expect(lines.length).toBeLessThanOrEqual(1);
    return lines[0]?.slice(label.length + 2) ?? "";
  };
  // Its other lines stand below the first.
  const hint = /^hint: (.*(?:\n {6}.*)*)/m.exec(stderr)?.[1] ?? "";
  return { exitCode, stdout, error: line("error"), hint, code: line("docs").split("#")[1]?.toUpperCase() ?? "" };
}

describe("a URL that can't be right", () => {
  test.each([
    ["no URL", "dockr", "INVALID_URL", /can't be parsed/, /./],
    ["an unknown scheme", "dockr-container://x", "UNKNOWN_SCHEME", /"dockr-container"/, /did you mean "docker-container"/],
    ["a misspelt parameter", "docker-container://x?contxt=a", "INVALID_OPTION", /"contxt"/, /did you mean "context"/],
  ])("%s", async (_, url, code, error, hint) => {
    expect(shown(await query(url))).toEqual({ exitCode: 1, stdout: "", code, error: expect.stringMatching(error), hint: expect.stringMatching(hint) });
  });

  test("a password in it is never shown", async () => {
    const { stderr } = await query("tcp://me:hunter2@127.0.0.1:1?x=y");
    expect(stderr).not.toContain("hunter2");
  });
});

describe("nothing there", () => {
  test("a closed port", async () => {
    expect(shown(await query(`tcp://127.0.0.1:${await freePort()}`))).toMatchObject({ exitCode: 1, stdout: "", code: "CONNECTION_REFUSED" });
  });

  test("a socket that doesn't exist", async () => {
    expect(shown(await query("unix:///no/such/socket"))).toMatchObject({
      exitCode: 1,
      stdout: "",
      code: "NOT_FOUND",
      error: expect.stringContaining("/no/such/socket"),
    });
  });

  test("nothing configured names every remedy", async () => {
    const answer = await cli.run(["query"], { input: "{ version }", env: NO_RUNTIME });
    expect(answer.stderr).toMatch(/^error: no runner is configured, [^]*no engine v0\.21\.8 runs on Docker here[^]*127\.0\.0\.1:1/);
    const result = shown(answer);
    expect(result).toMatchObject({ exitCode: 1, code: "NO_RUNNER" });
    for (const remedy of ["--runner", "_EXPERIMENTAL_DAGGER_RUNNER_HOST", "anyrunner.config.yaml", "embedded://"]) expect(result.hint).toContain(remedy);
  });
});

describe.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")("a container (left out by ANYRUNNER_TEST_DOCKER=skip)", () => {
  test("that doesn't exist", async () => {
    const name = `anyrunner-test-${randomUUID()}`;
    expect(shown(await query(`docker-container://${name}`))).toMatchObject({
      exitCode: 1,
      stdout: "",
      code: "NOT_FOUND",
      error: expect.stringContaining(name),
      hint: expect.stringMatching(/./),
    });
  });

  test("that is stopped", async () => {
    const name = `anyrunner-test-${randomUUID()}`;
    const docker = createDockerClient(await resolveDockerEndpoint({ env: {} }));
    const image = await ensureBusyboxImage();
    await docker.json({ method: "POST", path: "/containers/create", query: { name }, json: { Image: image, Cmd: ["true"] } });
    try {
      expect(shown(await query(`docker-container://${name}`))).toMatchObject({
        exitCode: 1,
        stdout: "",
        code: "NOT_RUNNING",
        error: expect.stringContaining(name),
        hint: expect.stringContaining(name),
      });
    } finally {
      (await docker.request({ method: "DELETE", path: `/containers/${name}` })).body.resume();
      docker.close();
    }
  });
});

describe("a wrong engine", () => {
  test.each([
    ["another package", { package: "github.com/moby/buildkit" }, "WRONG_SERVER", "github.com/moby/buildkit"],
    ["too old a version", { version: "v0.11.0" }, "VERSION_MISMATCH", "v0.11.0"],
  ])("%s, after one attempt", async (_, info, code, named) => {
    const { double, url } = await startDouble({ info });
    expect(shown(await query(url))).toMatchObject({ exitCode: 1, stdout: "", code, error: expect.stringContaining(named) });
    expect([double.count("info"), double.count("query")]).toEqual([1, 0]);
  });

  test("one that refuses the session's token", async () => {
    const { url } = await startDouble({ faults: [{ at: "query", action: { status: 500, text: 'session "x" already exists with different secret token' } }] });
    expect(shown(await query(url))).toMatchObject({ exitCode: 1, stdout: "", code: "AUTH_FAILED" });
  });
});

describe("a configuration that can't be right", () => {
  test("a misspelt key is named with its place", async () => {
    const cwd = join(cli.home, "project");
    await mkdir(cwd);
    await writeFile(join(cwd, "anyrunner.config.yaml"), "# mine\nruner: embedded://\n");
    const result = shown(await cli.run(["query"], { input: "{ version }", cwd }));
    expect(result).toMatchObject({
      exitCode: 1,
      code: "INVALID_CONFIG",
      error: expect.stringContaining('anyrunner.config.yaml:2: unknown key "runer"'),
      hint: expect.stringContaining('"runner"'),
    });
  });

  test.each([
    ["a session without a token", { DAGGER_SESSION_PORT: "1" }, "DAGGER_SESSION_TOKEN"],
    ["a session without a port", { DAGGER_SESSION_PORT: "x", DAGGER_SESSION_TOKEN: "t" }, "DAGGER_SESSION_PORT"],
    ["unknown progress", { DAGGER_PROGRESS: "fancy" }, "DAGGER_PROGRESS"],
  ])("%s", async (_, env, named) => {
    expect(shown(await cli.run(["query"], { input: "{ version }", env }))).toMatchObject({
      exitCode: 1,
      code: "INVALID_CONFIG",
      error: expect.stringContaining(named),
    });
  });

  test("an empty variable counts as unset", async () => {
    expect(
      shown(
        await cli.run(["query"], {
          input: "{ version }",
          env: { ...NO_RUNTIME, _EXPERIMENTAL_DAGGER_RUNNER_HOST: "", DAGGER_SESSION_PORT: "", DAGGER_PROGRESS: "" },
        }),
      ).code,
    ).toBe("NO_RUNNER");
  });
});
