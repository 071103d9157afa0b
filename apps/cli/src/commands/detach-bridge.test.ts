import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { createEngineDouble, type EngineDouble } from "@anyrunner/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createCliHarness, streamsClosed, type CliHarness } from "../test-cli.ts";

/** Runners of a project that are files, and an engine that is started with each that isn't there. */
const DRIVER = `
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
const file = (id) => process.env.TOY_FOLDER + "/" + id;
export const driver = {
  specVersion: 1, name: "toy", schemes: ["toy-image"], capabilities: ["provision", "inspect", "lifecycle", "list"], options: [],
  parse: (url) => ({ driver: "toy", url: "toy-image://" + url.body, body: url.body }),
  probe: async () => ({ available: true }),
  provision: async ({ body }, { report, signal }) => {
    if (body === "slow") {
      report({ type: "progress", id: "engine-start", message: "starting slow" });
      await new Promise((_, reject) => signal.addEventListener("abort", () => { writeFileSync(file("slow.aborted"), ""); reject(signal.reason); }));
    }
    if (body === "none") throw Object.assign(new Error("there is no engine " + body), { code: "NOT_FOUND" });
    if (!existsSync(file(body))) {
      writeFileSync(file(body), "");
      report({ type: "progress", id: "engine-start", message: "starting " + body });
      report({ type: "progress", id: "engine-start", message: "starting " + body, done: true });
    }
    return { driver: "toy", id: body, endpoint: { name: body }, owned: true, labels: {} };
  },
  connect: async () => {
    const stream = connect(Number(process.env.TOY_PORT), "127.0.0.1");
    return { stream, kind: "socket", halfClose: true, closed: new Promise((done) => stream.once("close", () => done({ kind: "end" }))), diagnostics: async () => ({}) };
  },
  inspect: async ({ id }) => ({ status: existsSync(file(id)) ? "running" : "missing" }),
  start: async () => {}, stop: async () => {},
  destroy: async ({ id }, { volume }) => { rmSync(file(id)); writeFileSync(file(id) + ".destroyed", String(volume)); },
  list: async () => [],
};
`;

let cli: CliHarness;
let double: EngineDouble;
let env: Record<string, string>;
beforeAll(async () => {
  cli = await createCliHarness();
  double = createEngineDouble();
  const port = new URL((await double.listen()).replace("tcp:", "http:")).port;
  env = { TOY_FOLDER: join(cli.home, "toys"), TOY_PORT: port, TMPDIR: join(cli.home, "tmp"), DOCKER_HOST: "tcp://127.0.0.1:1" };
  await Promise.all([mkdir(env["TOY_FOLDER"] ?? ""), mkdir(env["TMPDIR"] ?? "")]);
  await writeFile(join(cli.home, "toy.mjs"), DRIVER);
  await writeFile(join(cli.home, "anyrunner.config.yaml"), "drivers:\n  - { path: ./toy.mjs, name: toy, schemes: [toy-image] }\n");
  expect(await cli.run(["drivers", "trust", "./toy.mjs"])).toMatchObject({ exitCode: 0 });
});
afterAll(async () => {
  await streamsClosed(double);
  await double.kill();
  await cli.remove();
});

const run = (...args: readonly string[]) => cli.run(args, { env });
const isThere = (toy: string) => existsSync(join(env["TOY_FOLDER"] ?? "", toy));

async function detach(...flags: readonly string[]) {
  const result = await run("bridge", "--detach", "--json", ...flags);
  expect(result).toMatchObject({ exitCode: 0 });
  const { address } = JSON.parse(result.stdout) as { readonly address: string };
  return { ...result, address };
}

describe("a bridge in the background", { timeout: 240_000 }, () => {
  test("serves after the command has ended, until it is stopped; nothing stays", async () => {
    const { address, stderr } = await detach("--runner", "toy-image://one");
    expect(stderr).toBe("starting one …\nstarting one: done\nbridge to toy-image://one · engine v0.21.8 · from flag --runner\n");
    expect(await run("query", "--runner", address, "--silent", "--doc", await document())).toMatchObject({ exitCode: 0 });
    expect(await run("bridge", "--stop", address)).toMatchObject({ exitCode: 0, stderr: "the bridge to toy-image://one has ended\n" });
    expect(await run("bridge", "--stop", address, "--json")).toMatchObject({ exitCode: 0, stdout: `${JSON.stringify({ address, stopped: false })}\n` });
    await expect(stat(dirname(address.replace("unix://", "")))).rejects.toThrow(/ENOENT/);
    expect((await readdir(env["TMPDIR"] ?? "")).filter((name) => name.startsWith("anyrunner-log-"))).toEqual([]);
    expect(isThere("one")).toBe(true);
  });

  test("prints the line for the shell; what it writes later is in its log file", async () => {
    const logFile = join(cli.home, "logs/bridge.log");
    const { exitCode, stdout } = await run("bridge", "--detach", "--runner", "toy-image://two", "--shell", "bash", "--log-file", logFile, "--rm");
    const [, address = ""] = /^export _EXPERIMENTAL_DAGGER_RUNNER_HOST='(unix:.*)'\n$/.exec(stdout) ?? [];
    expect([exitCode, address]).toEqual([0, expect.stringContaining("engine.sock")]);
    expect(await run("bridge", "--stop", address)).toMatchObject({ exitCode: 0 });
    expect(await readFile(logFile, "utf8")).toMatch(/bridge to toy-image:\/\/two[^]*removing engine two/);
  });

  test("--rm removes the engine that it has started, without its cache, and no other", async () => {
    const starter = await detach("--runner", "toy-image://three", "--rm");
    const guest = await detach("--runner", "toy-image://three", "--rm");
    await run("bridge", "--stop", guest.address);
    expect(isThere("three")).toBe(true);
    await run("bridge", "--stop", starter.address);
    expect(isThere("three")).toBe(false);
    expect(await readFile(join(env["TOY_FOLDER"] ?? "", "three.destroyed"), "utf8")).toBe("false");
  });

  test("--rm leaves the engine to others who use it", async () => {
    const starter = await detach("--runner", "toy-image://four", "--rm");
    const guest = await detach("--runner", "toy-image://four");
    await run("bridge", "--stop", starter.address);
    expect(isThere("four")).toBe(true);
    await run("bridge", "--stop", guest.address);
  });

  test("one that can't start says why, as in the foreground", async () => {
    const result = await run("bridge", "--detach", "--runner", "toy-image://none", "--json");
    expect(result.exitCode).not.toBe(0);
    expect(JSON.parse(result.stderr.trim().split("\n").at(-1) ?? "")).toMatchObject({
      error: { message: expect.stringContaining("there is no engine none") as string },
    });
  });
});

test("interrupted while the bridge starts, it ends that, too", { timeout: 240_000 }, async () => {
  const running = await cli.start(["bridge", "--detach", "--runner", "toy-image://slow"], { env });
  await running.waitFor("starting slow");
  running.kill("SIGTERM");
  expect((await running.ended).exitCode).toBe(130);
  await expect.poll(() => isThere("slow.aborted"), { timeout: 120_000 }).toBe(true);
});

test.each([
  [["--log-file", "x"], "--log-file is for --detach alone"],
  [["--detach", "--exec", "--", "true"], "--exec and --detach exclude each other"],
  [["--detach", "true"], '"true" is unexpected'],
  [["--stop", "unix:///x", "true"], '"true" is unexpected'],
])("bridge %j is wrong usage", async (args, message) => {
  const result = await run("bridge", ...args);
  expect([result.exitCode, result.stderr.includes(message)]).toEqual([2, true]);
});

async function document(): Promise<string> {
  const file = join(cli.home, "version.graphql");
  await writeFile(file, "{ version }");
  return file;
}
