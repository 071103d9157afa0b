import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createCliHarness, type CliHarness, type CliResult } from "../test-cli.ts";

/** A driver that knows a password, and a parameter that only it calls secret. */
const DRIVER = `
const absent = async () => ({ available: false, reason: "nothing is there" });
const no = async () => {};
export const driver = {
  specVersion: 1, name: "toy", schemes: ["toy"], capabilities: [], options: [{ name: "key", type: "string", secret: true, help: "Key." }],
  parse: async (url) => ({ driver: "toy", url: "toy://" }), probe: absent, provision: no, connect: no,
};`;

let cli: CliHarness;
beforeAll(async () => {
  cli = await createCliHarness();
  await writeFile(join(cli.home, "toy.mjs"), DRIVER);
  await writeFile(join(cli.home, "anyrunner.config.yaml"), "drivers:\n  - { path: ./toy.mjs, name: toy, schemes: [toy] }\n");
});
afterAll(() => cli.remove());

const run = (args: readonly string[], input?: string): Promise<CliResult> => cli.run(args, { env: { ANYRUNNER_TRUST_DRIVERS: "all" }, input });

const WARNING = /^warning: the list of processes shows the secret in this URL to everyone on this machine\nhint: .*anyrunner add NAME -\n/;

test.each(["toy://me:hunter2@host", "toy://host?token=hunter2", "toy://host?key=hunter2"])(
  "add NAME %s warns of the secret that everyone can read",
  async (url) => {
    const { exitCode, stderr } = await run(["add", "--replace", "lab", url]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringMatching(WARNING) });
    expect(stderr).not.toContain("hunter2");
    expect(stderr.match(/^warning:/gm)).toHaveLength(1);
  },
);

test("add NAME - takes the URL from standard input, warns of nothing, and keeps it where only the user can read", async () => {
  const { exitCode, stderr } = await run(["add", "quiet", "-"], "\n  toy://me:hunter2@host?key=x \n");
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "quiet is toy://me:***@host?key=***\n" });
  const store = join(cli.home, ".config/anyrunner/config.json");
  expect(JSON.parse(await readFile(store, "utf8"))).toMatchObject({ runners: { quiet: { url: "toy://me:hunter2@host?key=x" } } });
  if (process.platform !== "win32") expect((await stat(store)).mode & 0o777).toBe(0o600);
});

test("standard input without a URL is wrong usage", async () => {
  expect(await run(["add", "none", "-"], "\n")).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/^error: standard input has no URL\nhint: /) });
});

test("--runner with a password warns before the command's own error", async () => {
  const { stderr } = await run(["run", "--runner", "toy://me:hunter2@host", "--", "true"]);
  expect(stderr).toMatch(WARNING);
  expect(stderr).toMatch(/^error: .*nothing is there/m);
  expect(stderr).not.toContain("hunter2");
});
