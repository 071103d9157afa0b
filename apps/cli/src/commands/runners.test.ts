import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { openUserStore } from "@anyrunner/config";
import { createEngineDouble, type EngineDouble } from "@anyrunner/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createCliHarness, type CliHarness } from "../test-cli.ts";

// A driver of a project whose runners are files: enough to see what the commands ask of a driver, and in which order.
const DRIVER = `
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync, mkdirSync, readdirSync } from "node:fs";
import { connect } from "node:net";
const folder = process.env.TOY_FOLDER;
const file = (id) => folder + "/" + id + ".json";
const said = (what) => appendFileSync(folder + "/calls.log", what + "\\n");
const read = (id) => existsSync(file(id)) ? JSON.parse(readFileSync(file(id), "utf8")) : undefined;
const write = (id, state) => writeFileSync(file(id), JSON.stringify(state));
const handleOf = (id) => ({ driver: "toy", id, endpoint: { name: id }, owned: read(id)?.owned ?? true, labels: {} });
export const driver = {
  specVersion: 1, name: "toy", schemes: ["toy-image"], capabilities: ["provision", "inspect", "logs", "lifecycle", "list"],
  options: [{ name: "token", type: "string", help: "x", secret: true }],
  parse: (url) => { if (url.body === "bad") throw new Error("bad body"); return { driver: "toy", url: "toy-image://" + url.body, body: url.body }; },
  probe: async () => ({ available: true }),
  provision: async (target) => { said("provision " + target.body); if (!read(target.body)) write(target.body, { status: "running" }); return handleOf(target.body); },
  connect: async () => {
    const stream = connect(Number(process.env.TOY_PORT), "127.0.0.1");
    return { stream, kind: "socket", halfClose: true, closed: new Promise((done) => stream.once("close", () => done({ kind: "end" }))), diagnostics: async () => ({}) };
  },
  inspect: async ({ id }) => { const state = read(id); return state ? { status: state.status, image: "toy:" + id, ...(state.startedAt && { startedAt: state.startedAt }), details: { name: id, disk: [{ kind: "volume", name: id + "-cache", bytes: 1610612736 }] } } : { status: "missing" }; },
  async *logs({ id }, { tail, follow, signal }) { if (follow) signal.addEventListener("abort", () => clearInterval(alive)); const alive = follow && setInterval(() => {}, 1000); yield* (read(id)?.log ?? ["one\\ntw", "o\\nthree\\n"]).join("").split("\\n").slice(0, -1).slice(-tail).map((line) => line + "\\n"); if (follow) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))); },
  start: async ({ id }) => { said("start " + id); write(id, { ...read(id), status: "running" }); },
  stop: async ({ id }, { graceMs, report, secrets }) => { appendFileSync(folder + "/secrets.log", JSON.stringify(secrets ?? null) + "\\n"); said("stop " + id + " " + graceMs); write(id, { ...read(id), status: "stopped" }); if (graceMs > 0) report({ type: "progress", id: "cache-kept-" + id, message: "cache is kept", done: true }); },
  destroy: async ({ id }, { volume }) => { said("destroy " + id + " " + volume); rmSync(file(id), { force: true }); },
  list: async () => readdirSync(folder).filter((name) => name.endsWith(".json")).map((name) => handleOf(name.slice(0, -5))).filter((handle) => handle.owned),
};
`;

let cli: CliHarness;
let double: EngineDouble;
let env: Record<string, string>;
let toys: string;
beforeAll(async () => {
  cli = await createCliHarness();
  toys = join(cli.home, "toys");
  double = createEngineDouble({ answer: () => ({ data: { a: 1 } }) });
  env = { TOY_FOLDER: toys, TOY_PORT: new URL((await double.listen()).replace("tcp:", "http:")).port, PATH: "", DOCKER_HOST: "tcp://127.0.0.1:1" };
  await writeFile(join(cli.home, "toy.mjs"), DRIVER);
  await writeFile(join(cli.home, "anyrunner.config.yaml"), "drivers:\n  - { path: ./toy.mjs, name: toy, schemes: [toy-image] }\n");
  expect(await cli.run(["drivers", "trust", "./toy.mjs"])).toMatchObject({ exitCode: 0 });
});
afterAll(async () => {
  await double.kill();
  await cli.remove();
});
beforeEach(async () => {
  await mkdir(toys, { recursive: true });
  await writeFile(join(toys, "calls.log"), "");
  await openUserStore({ env: { HOME: cli.home } }).update(({ trustedDrivers }) => ({ trustedDrivers }));
});

/** These tests start the command many times, which is slow on a busy machine. */
const PATIENCE_MS = 240_000;

const run = (...args: string[]) => cli.run(args, { env });
const calls = async () => (await readFile(join(toys, "calls.log"), "utf8")).trim().split("\n");
const json = async (...args: string[]): Promise<unknown> => JSON.parse((await run(...args, "--json")).stdout) as unknown;

describe("names", { timeout: PATIENCE_MS }, () => {
  test("a name stands for its URL wherever a runner is named; the file is the user's alone", async () => {
    const url = await double.listen();
    expect(await run("add", "mine", url)).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await run("use", "mine")).toMatchObject({ exitCode: 0, stdout: "mine\n" });
    const asked = await cli.run(["query"], { env, input: "{ a }" });
    expect([asked.exitCode, asked.stderr]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^runner ${url} · engine v0\\.21\\.8 · from user choice in .*\\(runner mine\\)`)),
    ]);
    expect((await cli.run(["query", "--runner", "mine"], { env, input: "{ a }" })).exitCode).toBe(0);
    expect((await stat(join(cli.home, ".config/anyrunner/config.json"))).mode & 0o777).toBe(0o600);
    expect(await run("use", "--clear")).toMatchObject({ exitCode: 0, stdout: "none\n" });
  });

  test.each([
    ["no name", ["add", "a/b", "unix:///x"], 2, '"a/b" can\'t be a name'],
    ["no URL", ["add", "x", "somewhere"], 1, "can't be parsed"],
    ["an unknown scheme", ["add", "x", "dockr-container://y"], 1, 'did you mean "docker-container"'],
    ["a wrong parameter", ["add", "x", "tcp://h:1?a=b"], 1, '"a"'],
    ["a name that nobody has", ["use", "nobody"], 1, "no runner has that name"],
    ["a runner that nobody has", ["inspect", "nobody"], 1, 'there is no runner "nobody"'],
  ])("%s is refused", async (_, args, exitCode, message) => {
    expect(await run(...args)).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(message) });
  });

  test("a taken name is replaced only on demand", async () => {
    await run("add", "mine", "unix:///a");
    expect(await run("add", "mine", "unix:///b")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("--replace") });
    expect(await run("add", "mine", "unix:///a")).toMatchObject({ exitCode: 0 });
    expect(await run("add", "--replace", "mine", "unix:///b")).toMatchObject({ exitCode: 0 });
  });
});

describe("a URL that holds a secret", () => {
  beforeEach(async () => {
    await openUserStore({ env: { HOME: cli.home } }).update((settings) => ({
      ...settings,
      runners: { mine: { url: "toy-image://secret?token=hunter2" } },
      runner: "mine",
    }));
  });

  test.each([
    ["start", "mine"],
    ["ls"],
    ["ls", "--json"],
    ["inspect", "mine", "--json"],
    ["use"],
    ["env"],
    ["env", "--json"],
    ["doctor", "--json"],
    ["stop", "mine"],
    ["rm", "mine"],
  ])("%s %s doesn't show it", async (...args) => {
    const { stdout, stderr } = await run(...args.filter((arg) => typeof arg === "string"));
    expect(`${stdout}${stderr}`).not.toContain("hunter2");
    expect(await readFile(join(cli.home, ".local/state/anyrunner/handles.json"), "utf8").catch(() => "")).not.toContain("hunter2");
  });

  test("a driver gets it with a handle from before, where the name or the URL is given, and not by an id", { timeout: PATIENCE_MS }, async () => {
    await run("start", "mine");
    await writeFile(join(toys, "secrets.log"), "");
    for (const word of ["mine", "secret"]) await run("stop", "--force", word);
    expect(await readFile(join(toys, "secrets.log"), "utf8")).toBe('{"options":{"token":["hunter2"]}}\nnull\n');
    await run("rm", "secret");
  });
});

describe("life cycle", { timeout: PATIENCE_MS }, () => {
  test("start makes the engine of a URL once, stop and start keep it, rm removes it and its name", async () => {
    await run("add", "mine", "toy-image://a");
    expect(await json("ls")).toMatchObject({ runners: [{ name: "mine", status: "missing", id: null }] });
    expect(await run("inspect", "mine")).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/never started[^]*anyrunner start mine/) });
    expect(await json("start", "mine")).toMatchObject({ runner: "mine", id: "a", status: "running", engine: "v0.21.8" });
    expect(await json("inspect", "toy-image://a")).toMatchObject({ name: null, owned: true, status: "running", image: "toy:a", handle: { id: "a" } });
    expect(await json("stop", "mine")).toMatchObject({ status: "stopped", cache: "kept" });
    expect(await json("stop", "a", "--force")).toMatchObject({ status: "stopped", cache: "unknown" });
    expect(await json("start", "mine")).toMatchObject({ status: "running" });
    expect(await json("stop", "mine", "--force")).toMatchObject({ cache: "discarded" });
    expect(await json("rm", "mine")).toMatchObject({
      name: "mine",
      removed: ["engine a (stopped)"],
      kept: [expect.stringMatching(/^volume a-cache \(1\.5 GiB\).*--volume/)],
    });
    expect(await calls()).toEqual(["provision a", "stop a 600000", "stop a 0", "start a", "stop a 0", "destroy a false"]);
    expect(await json("ls")).toMatchObject({ runners: [] });
  });

  test.each([
    ["of this start", "2026-01-02T00:00:01.5Z", true],
    ["of a start before", "2026-01-01T00:00:01.5Z", false],
  ])("start tells that the engine discarded its cache, by the words %s in its log", async (_, time, told) => {
    const log = [`time=${time} level=WARN msg="local cache state invalid; resetting worker" reason=dagql_unclean_shutdown error=<nil>\n`];
    await writeFile(join(toys, "k.json"), JSON.stringify({ status: "stopped", startedAt: "2026-01-02T00:00:01Z", log }));
    const started = await run("start", "k", "--json");
    expect(JSON.parse(started.stdout)).toMatchObject({ status: "running", cacheDiscarded: told });
    expect(started.stderr.includes('the engine "k" discarded its cache at this start: dagql_unclean_shutdown')).toBe(told);
    await run("rm", "k");
  });

  test("what would be removed can be shown before; the volume goes only when asked", async () => {
    await run("start", "toy-image://b");
    expect(await json("rm", "--volume", "--dry-run", "b")).toMatchObject({
      dryRun: true,
      removed: ["engine b (running)", "volume b-cache (1.5 GiB)"],
      kept: [],
    });
    expect((await calls()).at(-1)).toBe("provision b");
    expect(await run("rm", "--volume", "--timeout", "5s", "b")).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("removing volume b-cache (1.5 GiB)"),
    });
    expect((await calls()).slice(1)).toEqual(["stop b 5000", "destroy b true"]);
  });

  test("what anyrunner did not make is neither stopped nor removed", async () => {
    await writeFile(join(toys, "theirs.json"), JSON.stringify({ status: "running", owned: false }));
    await run("add", "gpu", "toy-image://theirs");
    await run("start", "gpu");
    // It is known by two URLs, and is one runner.
    await run("start", "toy-image://theirs?token=other");
    expect(await json("inspect", "theirs")).toMatchObject({ id: "theirs", owned: false });
    await writeFile(join(toys, "calls.log"), "");
    for (const command of ["stop", "rm"]) {
      const target = command === "rm" ? "toy-image://theirs" : "gpu";
      expect(await run(command, target)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("was not made by anyrunner") });
    }
    expect(await json("rm", "gpu")).toMatchObject({ name: "gpu", removed: [], kept: [expect.stringContaining("anyrunner did not make it")] });
    expect(await calls()).toEqual([""]);
  });

  test("prune takes what is ours, stopped and without a name, and no volume", async () => {
    await run("add", "mine", "toy-image://named");
    for (const url of ["mine", "toy-image://loose", "toy-image://busy"]) await run("start", url);
    for (const word of ["mine", "loose"]) await run("stop", word);
    expect(await json("prune", "--dry-run")).toEqual({
      dryRun: true,
      removed: [{ name: "loose", id: "loose" }],
      kept: [
        { name: "busy", why: "it is running" },
        { name: "named", why: "it has a name: anyrunner rm NAME" },
      ],
    });
    expect(await run("prune")).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/removing engine loose; kept: volume loose-cache \(1\.5 GiB\)/) });
    expect((await calls()).filter((call) => call.startsWith("destroy"))).toEqual(["destroy loose false"]);
    await run("rm", "busy");
  });

  test("what was removed by other means is made anew by start", async () => {
    await run("start", "toy-image://e");
    await rm(join(toys, "e.json"));
    expect(await run("start", "toy-image://e")).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("toy-image://e runs") });
    expect((await calls()).filter((call) => call.endsWith(" e"))).toEqual(["provision e", "provision e"]);
    await run("rm", "e");
  });

  test("du adds up what drivers say", async () => {
    await run("start", "toy-image://c");
    expect(await json("du", "c")).toEqual({
      runners: [{ runner: "c", items: [{ kind: "volume", name: "c-cache", bytes: 1_610_612_736 }], bytes: 1_610_612_736, prunableBytes: 0 }],
      bytes: 1_610_612_736,
      prunableBytes: 0,
    });
    expect((await run("du")).stdout).toMatch(/^c +1\.5 GiB +volume c-cache$/m);
    await run("rm", "c");
  });

  test("logs come whole lines, or as objects", async () => {
    await run("start", "toy-image://d");
    expect(await run("logs", "d", "-n", "2")).toMatchObject({ exitCode: 0, stdout: "two\nthree\n" });
    expect((await run("logs", "d", "--json")).stdout).toBe('{"line":"one"}\n{"line":"two"}\n{"line":"three"}\n');
    expect(await run("logs", "d", "-n", "all")).toMatchObject({ exitCode: 2 });
    await run("rm", "d");
  });

  test("logs that are followed end without a word when they are interrupted", async () => {
    await run("start", "toy-image://f");
    const following = await cli.start(["logs", "-f", "f"], { env });
    await following.waitFor("three");
    following.kill("SIGINT");
    expect(await following.ended).toMatchObject({ exitCode: 130, stdout: "one\ntwo\nthree\n", stderr: "" });
    await run("rm", "f");
  });

  test("inspect of what its driver can't look into says whether it is there", async () => {
    const url = await double.listen();
    await run("add", "there", url);
    await run("add", "gone", "tcp://127.0.0.1:1");
    expect(await json("inspect", "there")).toMatchObject({ name: "there", url, driver: "socket", owned: false, status: "available", handle: { id: url } });
    expect((await run("inspect", "there")).stdout).toMatch(/^status +available$/m);
    expect(await json("inspect", "gone")).toMatchObject({ name: "gone", driver: "socket", status: expect.stringMatching(/available/) });
  });

  test.each(["logs", "start", "stop"])("%s says which driver lacks the ability", async (command) => {
    await run("add", "mine", "tcp://127.0.0.1:1");
    const result = await run(command, "mine", "--json");
    expect([result.exitCode, (JSON.parse(result.stderr) as { error: object }).error]).toEqual([
      1,
      expect.objectContaining({
        code: "UNSUPPORTED",
        message: expect.stringContaining('the driver "socket" can\'t'),
        details: expect.objectContaining({ driver: "socket" }),
      }),
    ]);
  });
});
