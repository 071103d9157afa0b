import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { loadProjectConfig, openUserStore } from "@anyrunner/config";
import { parseRunnerUrl } from "@anyrunner/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createDefaultRegistry } from "./default-registry.ts";
import { trustDriver } from "./driver-consent.ts";

let root: string;
let bin: string;
let program: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "anyrunner-programs-"));
  bin = join(root, "bin");
  program = join(bin, "anyrunner-driver-foo");
  await mkdir(bin, { mode: 0o755 });
  await install("foo", ["foo"]);
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** A driver that notes each start of it in the file `ran`. */
async function install(name: string, schemes: readonly string[], file = `anyrunner-driver-${name}`): Promise<void> {
  const driver = { specVersion: 1, name, schemes, capabilities: [], options: [] };
  const script = `#!/bin/sh
echo "$1" >>"${root}/ran"
IFS= read -r request
case $1 in
describe) echo '${JSON.stringify({ result: { protocol: 1, driver } })}' ;;
parse) echo '{"result":{"target":{}}}' ;;
probe) echo '{"result":{"available":true}}' ;;
esac
`;
  await writeFile(join(bin, file), script, { mode: 0o755 });
}

const environment = () => ({ HOME: root, PATH: `${bin}:.:relative/bin:/usr/bin:/bin` });
const store = () => openUserStore({ env: { HOME: root } });
const registry = async (extra: Readonly<Record<string, string>> = {}, report?: (event: unknown) => void) =>
  createDefaultRegistry({ cwd: root, env: { ...environment(), ...extra }, config: await loadProjectConfig({ cwd: root }), store: store(), report });
const resolve = async (scheme: string, extra?: Readonly<Record<string, string>>) => (await registry(extra)).resolve(parseRunnerUrl(`${scheme}://x`));
const starts = () => readFile(join(root, "ran"), "utf8").catch(() => "");

describe("a program on PATH", () => {
  test("is listed without being run, and doesn't run before the user allows it", async () => {
    expect((await registry()).candidates("foo")).toMatchObject([{ name: "foo", origin: program, foundBy: "PATH" }]);
    await expect(resolve("foo")).rejects.toMatchObject({ code: "PERMISSION_DENIED", hint: expect.stringContaining(`anyrunner drivers trust ${program}`) });
    expect(await starts()).toBe("");
    await trustDriver(program, store());
    expect(await starts()).toBe("");
    expect((await resolve("foo")).driver.name).toBe("foo");
    expect(await starts()).toBe("describe\nparse\nprobe\n");
  });

  test("asks again when it changes, also where it is a link", async () => {
    await symlink(program, join(bin, "anyrunner-driver-foo+bar"));
    await trustDriver(program, store());
    await install("foo-bar", ["foo+bar"], "anyrunner-driver-foo");
    await expect(resolve("foo+bar")).rejects.toMatchObject({ code: "PERMISSION_DENIED", message: expect.stringContaining("has changed") });
    await trustDriver(program, store());
    expect((await resolve("foo+bar")).driver.name).toBe("foo-bar");
  });

  test.each([
    ["everybody may write to it", () => chmod(program, 0o757)],
    ["everybody may write to its folder", () => chmod(bin, 0o777)],
    ["everybody may write to its folder, which is sticky", () => chmod(bin, 0o1777)],
    ["everybody may write to the folder of the link that leads to it", linkFromOpenFolder],
  ])("%s: refused, even when it is trusted, and not to be trusted now; nothing of it runs", async (_, open) => {
    await trustDriver(program, store());
    await open();
    await expect(resolve("foo", { ANYRUNNER_TRUST_DRIVERS: "all" })).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringContaining("others may write"),
    });
    await expect(trustDriver(program, store())).rejects.toMatchObject({ code: "PERMISSION_DENIED", hint: expect.stringContaining("chmod") });
    expect(await starts()).toBe("");
  });

  async function linkFromOpenFolder(): Promise<void> {
    const real = join(root, "real");
    await mkdir(real, { mode: 0o755 });
    await copyFile(program, join(real, "program"));
    await rm(program);
    await symlink(join(real, "program"), program);
    await chmod(bin, 0o777);
  }

  test("whose name is another's, or that doesn't answer to its scheme, is refused; what it claims besides isn't given to it", async () => {
    const trust = { ANYRUNNER_TRUST_DRIVERS: "all" };
    await install("docker", ["foo"], "anyrunner-driver-foo");
    await expect(resolve("foo", trust)).rejects.toMatchObject({
      code: "DRIVER_INVALID",
      message: expect.stringContaining(`${program} says that it is "docker"`),
    });
    await install("foo", ["unix"]);
    await expect(resolve("foo", trust)).rejects.toMatchObject({ code: "DRIVER_INVALID", message: expect.stringContaining("doesn't answer to foo://") });
    await install("foo", ["foo", "unix"]);
    expect((await resolve("foo", trust)).driver.name).toBe("foo");
    expect((await registry()).candidates("unix").map(({ name }) => name)).toEqual(["socket"]);
  });

  test("can't take a built-in scheme; others go on", async () => {
    await install("unix", ["unix"]);
    expect((await registry({ ANYRUNNER_TRUST_DRIVERS: "all" })).candidates("unix").map(({ name }) => name)).toEqual(["socket"]);
    expect((await (await registry()).load((await registry()).candidates("unix")[0] as never)).name).toBe("socket");
  });
});

describe("a program that the configuration names", () => {
  test("is one by its file's name, or by name and schemes; it wins over the built-in ones", async () => {
    await install("mine", ["tcp"], "my-program");
    await writeFile(
      join(root, "anyrunner.config.json"),
      JSON.stringify({ drivers: ["./bin/anyrunner-driver-foo", { path: "./bin/my-program", name: "mine", schemes: ["tcp"] }] }),
    );
    const found = await registry();
    expect(found.candidates("foo")).toMatchObject([{ name: "foo", foundBy: "configuration" }]);
    expect(found.candidates("tcp")).toMatchObject([{ name: "mine" }]);
    await trustDriver(join(bin, "my-program"), store());
    expect((await found.resolve(parseRunnerUrl("tcp://x"))).driver.name).toBe("mine");
  });

  test("without either, the configuration is wrong; one that is missing is NOT_FOUND", async () => {
    await writeFile(join(root, "anyrunner.config.json"), JSON.stringify({ drivers: ["./bin/my-program"] }));
    await expect(registry()).rejects.toMatchObject({ code: "INVALID_CONFIG", hint: expect.stringContaining("anyrunner-driver-<scheme>") });
    await writeFile(join(root, "anyrunner.config.json"), JSON.stringify({ drivers: ["./bin/anyrunner-driver-gone"] }));
    await expect(resolve("gone")).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("anyrunner-driver-gone") });
  });
});
