import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { openUserStore } from "@anyrunner/config";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createCliHarness, type CliHarness } from "../test-cli.ts";

// A driver that is asked and never answers, whatever the signal says; `heard` tells that it was asked.
const DRIVER = `
import { appendFileSync } from "node:fs";
const never = (what) => { appendFileSync(process.env.HEARD, what + "\\n"); return new Promise(() => {}); };
const target = ({ body }) => ({ driver: "mute", url: "mute://" + body, body });
const mute = ({ body }, what) => body === "all" || body === what;
export const driver = {
  specVersion: 1, name: "mute", schemes: ["mute"], capabilities: ["inspect"], options: [],
  parse: target,
  probe: async (target) => mute(target, "probe") ? never("probe") : { available: true },
  provision: async (target) => mute(target, "provision") ? never("provision") : { driver: "mute", id: target.body, endpoint: { body: target.body }, owned: false, labels: {} },
  connect: async () => never("connect"),
  inspect: async ({ endpoint }) => mute(endpoint, "inspect") ? never("inspect") : { status: "running" },
};
`;

let cli: CliHarness;
let env: Record<string, string>;
beforeAll(async () => {
  cli = await createCliHarness();
  env = { HEARD: join(cli.home, "heard.log"), PATH: "", DOCKER_HOST: "tcp://127.0.0.1:1" };
  await writeFile(join(cli.home, "mute.mjs"), DRIVER);
  await writeFile(join(cli.home, "anyrunner.config.yaml"), "drivers:\n  - { path: ./mute.mjs, name: mute, schemes: [mute] }\n");
  expect(await cli.run(["drivers", "trust", "./mute.mjs"])).toMatchObject({ exitCode: 0 });
});
afterAll(() => cli.remove());
beforeEach(async () => {
  await writeFile(env["HEARD"] ?? "", "");
  await openUserStore({ env: { HOME: cli.home } }).update((settings) => ({
    ...settings,
    runners: { silent: { url: "mute://probe" }, dumb: { url: "mute://inspect" }, well: { url: "mute://fine" } },
  }));
});

/** These tests wait for a driver that doesn't answer, and start the command, which is slow on a busy machine. */
const PATIENCE_MS = 240_000;

const run = (...args: string[]) => cli.run(args, { env });
const runnersOf = async () => (await openUserStore({ env: { HOME: cli.home } }).read()).runners;

describe("a driver that never answers", { timeout: PATIENCE_MS }, () => {
  test("ls says so of its runners, and shows the others", async () => {
    const { exitCode, stdout } = await run("ls", "--timeout", "8s");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ {2}silent +unknown \(no answer in 8 s\) /m);
    expect(stdout).toMatch(/^ {2}dumb +unknown \(no answer in 8 s\) /m);
    expect(stdout).toMatch(/^ {2}well +running +mute +mute:\/\/fine$/m);
  });

  test("rm forgets its name, and says what it could not look for", async () => {
    const { exitCode, stderr } = await run("rm", "silent");
    expect([exitCode, stderr]).toEqual([
      0,
      expect.stringMatching(/kept what the runner silent may have made: its driver did not answer within 10 s\n.*the name silent is forgotten/),
    ]);
    expect(await runnersOf()).not.toHaveProperty("silent");
  });

  test("doctor counts it as a failed check, with a remedy, and goes on", async () => {
    const { exitCode, stdout } = await run("doctor", "silent", "--json");
    expect(exitCode).toBe(1);
    const { checks } = JSON.parse(stdout) as { readonly checks: readonly { readonly id: string; readonly status: string }[] };
    expect(checks).toContainEqual({
      id: "candidate.mute",
      status: "failed",
      detail: expect.stringMatching(/the driver mute did not say within 10 s whether mute:\/\/probe is there/),
      remedy: expect.stringMatching(/answers/),
    });
    expect(checks).toContainEqual(expect.objectContaining({ id: "runner", status: "skipped" }));
  });

  test.each(["inspect", "run"])("Ctrl-C ends %s, which says once what it waited for", async (command) => {
    const running = await cli.start([command, ...(command === "run" ? ["--runner", "silent", "--", "true"] : ["silent"])], { env });
    await expect.poll(() => readFile(env["HEARD"] ?? "", "utf8"), { timeout: 60_000 }).toBe("probe\n");
    running.kill("SIGINT");
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(130);
    expect(stderr.match(/interrupted/g)).toHaveLength(1);
    expect(stderr).toContain("interrupted while waiting for the driver mute to probe mute://probe");
  });
});
