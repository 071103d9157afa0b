import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { delimiter, join } from "node:path";

import { runProgram } from "@anyrunner/exec";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import manifest from "../package.json" with { type: "json" };
import { createCliHarness, type CliHarness } from "./test-cli.ts";

/** No container runtime can be reached, so that nothing is found where nothing is named. */
const NO_RUNTIME = { DOCKER_HOST: "tcp://127.0.0.1:1", PATH: "" };

let cli: CliHarness;
beforeAll(async () => {
  cli = await createCliHarness();
});
afterAll(() => cli.remove());

describe("usage", () => {
  test.each([
    ["an unknown command", ["rnu"], 'error: unknown command "rnu"\nhint: did you mean "run"? see anyrunner --help\n'],
    ["an unknown flag", ["run", "--bogus"], 'error: unknown option "--bogus"\nhint: see anyrunner run --help\n'],
    ["a misspelt flag", ["run", "--runer"], 'error: unknown option "--runer"\nhint: did you mean "--runner"? see anyrunner run --help\n'],
    ["a missing command", ["run", "--"], 'error: missing required argument "command"\nhint: see anyrunner run --help\n'],
    ["too many arguments", ["env", "x"], 'error: too many arguments for "env". Expected 0 arguments but got 1: x\nhint: see anyrunner env --help\n'],
    ["no duration", ["run", "--cleanup-timeout", "soon", "true"], 'error: --cleanup-timeout is no duration: "soon"\nhint: write for example 10s or 1m30s\n'],
    ["unknown progress", ["version", "--progress", "fancy"], 'error: --progress doesn\'t know "fancy"\nhint: use auto, plain, tty, json or quiet\n'],
  ])("%s: exit code 2, said once", async (_, args, stderr) => {
    const docs = "docs: https://github.com/anyrunner/anyrunner/blob/main/docs/errors.md#usage\n";
    expect(await cli.run(args)).toEqual({ exitCode: 2, stdout: "", stderr: `${stderr}${docs}` });
  });

  test("as JSON", async () => {
    const { exitCode, stderr } = await cli.run(["run", "--bogus", "--json"]);
    expect([exitCode, (JSON.parse(stderr) as { error: object }).error]).toEqual([
      2,
      expect.objectContaining({ code: "USAGE", message: 'unknown option "--bogus"' }),
    ]);
  });

  test.each([[["--help"]], [[]], [["run", "--help"]], [["embedded"]]])("%j shows help and succeeds", async (args) => {
    expect(await cli.run(args)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Usage: anyrunner"), stderr: "" });
  });
});

describe("version", () => {
  test.each([[["--version"]], [["-V"]], [["--silent", "--version"]]])("%j", async (args) => {
    expect(await cli.run(args)).toEqual({ exitCode: 0, stdout: `anyrunner ${manifest.version}\n`, stderr: "" });
  });

  test("in full, and as JSON", async () => {
    expect((await cli.run(["version"])).stdout).toContain(`anyrunner ${manifest.version} (node ${process.versions.node}`);
    expect(JSON.parse((await cli.run(["version", "--json"])).stdout)).toMatchObject({
      anyrunner: manifest.version,
      engine: { package: "github.com/dagger/dagger" },
    });
  });
});

describe("env", () => {
  test("says which runner, and who says so", async () => {
    await writeFile(join(cli.home, "anyrunner.config.yaml"), "runner: docker-container://mine\n");
    const fromProject = JSON.parse((await cli.run(["env", "--json"], { env: { DOCKER_HOST: "tcp://127.0.0.1:2375" } })).stdout) as object;
    expect(fromProject).toMatchObject({
      runner: { value: "docker-container://mine", from: { kind: "project", name: join(cli.home, "anyrunner.config.yaml") } },
      docker: { value: "tcp://127.0.0.1:2375", from: { kind: "environment", name: "DOCKER_HOST" } },
    });
    const { stdout } = await cli.run(["env", "--runner", "tcp://host:1"]);
    expect(stdout).toMatch(/^# runner: tcp:\/\/host:1, from flag --runner$/m);
    expect(stdout).toMatch(/^export _EXPERIMENTAL_DAGGER_RUNNER_HOST='tcp:\/\/host:1'$/m);
  });

  test("a URL that holds a secret is no variable", async () => {
    const { stdout } = await cli.run(["env", "--shell", "fish", "--runner", "tcp://me:hunter2@host:1"]);
    expect(stdout).toMatch(/^# runner: tcp:\/\/me:\*\*\*@host:1, from flag --runner$/m);
    expect(stdout).not.toMatch(/hunter2|^set -gx _EXPERIMENTAL_DAGGER_RUNNER_HOST/m);
  });

  test("having no runner is an answer", async () => {
    expect(await cli.run(["env"], { cwd: "/", env: NO_RUNTIME })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^# runner: no runner is configured/m),
    });
  });
});

describe("drivers", () => {
  test("lists schemes and their parameters", async () => {
    const { exitCode, stdout } = await cli.run(["drivers", "--json"]);
    const { drivers } = JSON.parse(stdout) as { drivers: { name: string; status: string; schemes: string[]; options: object[] }[] };
    expect(exitCode).toBe(0);
    expect(drivers.find(({ name }) => name === "docker")).toMatchObject({
      status: "ready",
      schemes: expect.arrayContaining(["docker-container", "container+docker"]),
      options: expect.arrayContaining([expect.objectContaining({ name: "context" })]),
    });
    expect((await cli.run(["drivers"])).stdout).toMatch(
      /^socket +ready +@anyrunner\/driver-socket \S+ \(built-in, interface 1\)\n +schemes +unix, tcp, tls, npipe\n +abilities +half-close$/m,
    );
  });

  test("a project's own driver may run once it is trusted, and listing drivers runs nothing of it", async () => {
    await writeFile(join(cli.home, "anyrunner.config.yaml"), "drivers:\n  - { path: ./toy.mjs, name: toy, schemes: [toy] }\n");
    await writeFile(
      join(cli.home, "toy.mjs"),
      "console.error('it ran');\nconst no = async () => {};\nexport const driver = { specVersion: 1, name: 'toy', schemes: ['toy'], capabilities: [], options: [], parse: no, probe: no, provision: no, connect: no };\n",
    );
    const list = async (...flags: string[]) => {
      const { stdout, stderr } = await cli.run(["drivers", ...flags]);
      return { status: /^toy +(.*?) +\S+ \(configuration(?:, interface 1)?\)$/m.exec(stdout)?.[1], ran: stderr.includes("it ran") };
    };
    expect(await list()).toEqual({ status: "not allowed", ran: false });
    expect(await list("--check")).toEqual({ status: "not allowed", ran: false });
    expect(await cli.run(["drivers", "trust", "./toy.mjs"])).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await list()).toEqual({ status: "allowed", ran: false });
    expect(await list("--check")).toEqual({ status: "ready", ran: true });
  });
});

describe("completion", () => {
  test.each(["bash", "zsh", "fish", "powershell"])("a script for %s", async (shell) => {
    const { exitCode, stdout } = await cli.run(["completion", shell]);
    expect([exitCode, stdout.includes("anyrunner complete --") || stdout.includes("anyrunner")]).toEqual([0, true]);
  });

  test.each([
    [["ru"], "run"],
    [["run", "--run"], "--runner"],
    [["run", "--runner", ""], "embedded://"],
    [["query", "--progress", ""], "plain"],
    [["run", "--runner", ""], "my-name"],
    [["inspect", ""], "my-name"],
    [["env", "--shell", ""], "fish"],
  ])("%j offers %s", async (words, offered) => {
    await cli.run(["add", "my-name", "unix:///x"]);
    expect((await cli.run(["complete", "--", ...words])).stdout.split("\n").map((line) => line.split("\t")[0])).toContain(offered);
  });

  test("another shell is refused", async () => {
    expect((await cli.run(["completion", "tcsh"])).exitCode).toBe(2);
  });
});

describe("the file that is started", () => {
  test("imports nothing but its manifest before it has checked the version of Node", () => {
    const source = readFileSync(join(import.meta.dirname, "bin.ts"), "utf8");
    expect([...source.matchAll(/^import .*$/gm)].map(([line]) => line)).toEqual(['import manifest from "../package.json" with { type: "json" };']);
  });

  const old = findOldNode();
  test.skipIf(old === undefined)("says under an older Node what it needs (left out without a Node older than 22.19 on PATH)", async () => {
    const plain = stripTypeScriptTypes(readFileSync(join(import.meta.dirname, "bin.ts"), "utf8")).replace(/^import manifest.*$/m, "const manifest = {};");
    await writeFile(join(cli.home, "bin.mjs"), plain);
    const { exitCode, stdout, stderr } = await runProgram({ command: old ?? "", args: [join(cli.home, "bin.mjs"), "--version"] });
    expect({ exitCode, stdout: stdout.toString(), stderr }).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: expect.stringMatching(/^error: anyrunner needs Node 22\.19 or newer; .* is \d+\.\d+\.\d+\nhint: /),
    });
  });
});

function findOldNode(): string | undefined {
  const candidates = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "node"));
  return candidates.find((file) => {
    if (!existsSync(file)) return false;
    const [major = 0, minor = 0] = execFileSync(file, ["-p", "process.versions.node"], { encoding: "utf8" }).split(".").map(Number);
    return major < 22 || (major === 22 && minor < 19);
  });
}

test.each([[["--version"]], [["--help"]], [["version"]], [["completion", "bash"]], [["run", "--bogus"]]])(
  "%j loads neither http2 nor protobuf",
  async (args) => {
    expect(await loadedBy(args)).toEqual({ seen: [], http2: false });
  },
);

async function loadedBy(args: readonly string[]): Promise<unknown> {
  const hook = `import { registerHooks } from "node:module";
    const seen = [];
    registerHooks({ resolve(specifier, context, next) { const found = next(specifier, context); if (/bufbuild|\\/protocol\\/|execa/.test(found.url)) seen.push(found.url); return found; } });
    process.once("exit", () => process.stderr.write("\\n" + JSON.stringify({ seen, http2: process.moduleLoadList.includes("NativeModule http2") })));`;
  const program = {
    command: process.execPath,
    args: ["--import", `data:text/javascript,${encodeURIComponent(hook)}`, join(import.meta.dirname, "bin.ts"), ...args],
    cwd: "/",
    env: { HOME: cli.home, ...NO_RUNTIME },
  };
  const { stderr } = await runProgram(program);
  return JSON.parse(stderr.trim().split("\n").at(-1) ?? "");
}
