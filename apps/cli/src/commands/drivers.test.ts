import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createCliHarness, type CliHarness } from "../test-cli.ts";

/** Does what npm does with the package `anyrunner-driver-toy`, and knows no other. */
const NPM = `#!/usr/bin/env node
const { mkdirSync, writeFileSync } = require("node:fs");
const name = process.argv.at(-1).replace(/@[^@]*$/, "");
if (name !== "anyrunner-driver-toy") {
  console.error("npm error code E404");
  process.exit(1);
}
const folder = "node_modules/" + name;
mkdirSync(folder, { recursive: true });
const no = "async () => {}";
writeFileSync(folder + "/package.json", JSON.stringify({ name, version: "1.2.3", type: "module", exports: "./index.js", anyrunner: { specVersion: 1, schemes: ["toy"] } }));
writeFileSync(folder + "/index.js", "export const driver = { specVersion: 1, name: 'toy', schemes: ['toy'], capabilities: [], options: [], parse: " + no + ", probe: " + no + ", provision: " + no + ", connect: " + no + " };");
writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages: { [folder]: { version: "1.2.3", integrity: "sha512-toy" } } }));
`;

let cli: CliHarness;
let env: Readonly<Record<string, string>>;
beforeEach(async () => {
  cli = await createCliHarness();
  const bin = join(cli.home, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "npm"), NPM);
  await chmod(join(bin, "npm"), 0o755);
  env = { PATH: `${bin}${delimiter}${process.env["PATH"]}` };
});
afterEach(() => cli.remove());

test.skipIf(process.platform === "win32")("a driver is added, listed, changed, and removed", async () => {
  const added = await cli.run(["drivers", "add", "toy", "--json"], { env });
  expect(JSON.parse(added.stdout)).toMatchObject({ package: "anyrunner-driver-toy", version: "1.2.3", integrity: "sha512-toy", schemes: ["toy"] });
  expect(added.stderr).toContain("anyrunner-driver-toy 1.2.3 may run as the driver of toy://, as it is now");

  const row = async (...flags: string[]) => /^toy +(.*)$/m.exec((await cli.run(["drivers", ...flags], { env })).stdout)?.[1]?.replaceAll(/ +/g, " ");
  expect(await row()).toBe("allowed anyrunner-driver-toy 1.2.3 (driver folder, interface 1)");
  expect(await row("toy")).toMatch(/^ready /);
  expect(await row("--check")).toBe("ready anyrunner-driver-toy 1.2.3 (driver folder, interface 1)");
  const { path } = JSON.parse(added.stdout) as { readonly path: string };
  await writeFile(join(path, "index.js"), "throw new Error('it ran')\n");
  expect(await row("--check")).toBe("not allowed anyrunner-driver-toy 1.2.3 (driver folder, interface 1)");

  expect(await cli.run(["drivers", "rm", "toy"], { env })).toMatchObject({ exitCode: 0, stderr: "anyrunner-driver-toy is removed\n" });
  expect(await row()).toBeUndefined();
});

test.skipIf(process.platform === "win32").each([
  [["drivers", "add", "gone"], /the registry has no anyrunner-driver-gone@latest/],
  [["drivers", "add", "../gone"], /names no driver that can be installed/],
  [["drivers", "add", "docker"], /the driver docker comes with anyrunner/],
  [["drivers", "rm", "toy"], /no driver toy is in /],
  [["drivers", "dockr"], /no driver has the name or the scheme "dockr"\nhint: did you mean "docker"\?/],
  [["drivers", "trsut"], /hint: did you mean "trust"\?/],
])("%j says what is wrong", async (args, message) => {
  const { exitCode, stderr } = await cli.run(args, { env });
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(message) });
  expect(stderr).toMatch(/^hint: /m);
});

test("parameters that several drivers have alike are shown once", async () => {
  const { stdout } = await cli.run(["drivers"], { env });
  expect(stdout.match(/^ +volume +string/gm)).toHaveLength(1);
  expect(stdout).toMatch(/^Parameters of docker, apple, podman, finch, nerdctl alike, for the schemes that make an engine from an image$/m);
  expect(stdout).toMatch(/^Parameters of podman\n +connection +string/m);
  const { drivers } = JSON.parse((await cli.run(["drivers", "--json"], { env })).stdout) as {
    readonly drivers: readonly { readonly name: string; readonly options: readonly { readonly name: string }[] }[];
  };
  expect(drivers.find(({ name }) => name === "podman")?.options.map(({ name }) => name)).toEqual(expect.arrayContaining(["connection", "volume"]));
});

test.each(["ssh", "ssh://", "@anyrunner/driver-ssh"])("one driver, by %s", async (word) => {
  const { stdout } = await cli.run(["drivers", word], { env });
  expect(stdout).toMatch(/^DRIVER +STATUS +FROM\nssh +ready +@anyrunner\/driver-ssh \S+ \(built-in, interface 1\)\n +schemes +ssh\n +abilities +half-close\n/);
  expect(stdout).not.toContain("docker");
});

test("one scheme has several drivers", async () => {
  const { drivers } = JSON.parse((await cli.run(["drivers", "container", "--json"], { env })).stdout) as {
    readonly drivers: readonly { readonly name: string }[];
  };
  expect(drivers.map(({ name }) => name)).toEqual(["docker", "apple", "podman", "finch", "nerdctl"]);
});

test.skipIf(process.platform === "win32")("a program that may run says its interface, too", async () => {
  const program = join(cli.home, "anyrunner-driver-prog");
  const answer = JSON.stringify({
    result: {
      protocol: 1,
      driver: {
        specVersion: 1,
        name: "prog",
        version: "0.3.1",
        schemes: ["prog"],
        capabilities: [],
        options: [{ name: "speed", type: "string", default: "fast", help: "how fast" }],
      },
    },
  });
  await writeFile(program, `#!/bin/sh\necho '${answer}'\n`);
  await chmod(program, 0o755);
  await writeFile(join(cli.home, "anyrunner.config.yaml"), "drivers: [./anyrunner-driver-prog]\n");
  const { stdout } = await cli.run(["drivers", "prog"], { env: { ...env, ANYRUNNER_TRUST_DRIVERS: "all" } });
  expect(stdout).toMatch(/^prog +ready +\S+ 0\.3\.1 \(configuration, interface 1\)\n +schemes +prog\n +abilities +those of every driver alone$/m);
  expect(stdout).toMatch(/^ +speed +string +how fast\. Default: fast\.$/m);
});
