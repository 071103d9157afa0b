import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { installWithNpm } from "./install-with-npm.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-npm-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A program of that name which notes how it was called. */
async function npm(end: string): Promise<Readonly<Record<string, string>>> {
  const file = join(folder, "npm");
  await writeFile(file, `#!/bin/sh\nprintf '%s\\n' "$@" >"${folder}/args"\nenv >"${folder}/env"\npwd >"${folder}/cwd"\n${end}\n`);
  await chmod(file, 0o755);
  return { PATH: `${folder}${delimiter}${dirname(process.execPath)}${delimiter}/usr/bin${delimiter}/bin` };
}

const install = (env: Readonly<Record<string, string>>) => installWithNpm(env)({ prefix: folder, spec: "anyrunner-driver-foo@1.2.3" });

describe.skipIf(process.platform === "win32")("npm", () => {
  test("installs exactly the package, into the folder, runs no scripts, and hears nothing of the project's settings", async () => {
    const env = await npm("exit 0");
    await install({ ...env, npm_config_registry: "http://evil.invalid", npm_config_userconfig: "/project/.npmrc", NPM_CONFIG_REGISTRY: "http://mine.invalid" });
    const args = (await readFile(join(folder, "args"), "utf8")).trim().split("\n");
    expect(args).toEqual(expect.arrayContaining(["install", "--save-exact", "--ignore-scripts", "--prefix", folder]));
    expect(args.slice(-2)).toEqual(["--", "anyrunner-driver-foo@1.2.3"]);
    const seen = await readFile(join(folder, "env"), "utf8");
    expect(seen).toContain("NPM_CONFIG_REGISTRY=http://mine.invalid\n");
    expect(seen).not.toMatch(/^npm_/m);
    expect((await readFile(join(folder, "cwd"), "utf8")).trim()).toBe(folder);
  });

  test.each([
    ["npm error code E404\nnpm error 404 Not Found", "NOT_FOUND", /has no anyrunner-driver-foo@1\.2\.3/],
    ["npm error code ETARGET\nnpm error notarget No matching version", "NOT_FOUND", /has no anyrunner-driver-foo@1\.2\.3/],
    ["npm error code EINTEGRITY\nnpm error sha512-x integrity checksum failed", "COMMAND_FAILED", /code EINTEGRITY/],
    ["npm error code ECONNREFUSED", "COMMAND_FAILED", /ECONNREFUSED/],
  ])("that says %j is %s", async (stderr, code, message) => {
    const env = await npm(`cat >&2 <<'EOT'\n${stderr}\nEOT\nexit 1`);
    await expect(install(env)).rejects.toMatchObject({ code, message: expect.stringMatching(message), hint: expect.stringMatching(/./) });
  });

  test("that doesn't know the package names it in the command that shows its versions", async () => {
    await expect(install(await npm("echo 'npm error code E404' >&2\nexit 1"))).rejects.toMatchObject({
      hint: "check name and version: npm view anyrunner-driver-foo versions",
    });
  });

  test("that is not there is NOT_AVAILABLE", async () => {
    await expect(install({ PATH: folder })).rejects.toMatchObject({ code: "NOT_AVAILABLE", hint: "install Node.js with npm" });
  });
});
