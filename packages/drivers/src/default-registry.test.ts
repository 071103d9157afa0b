import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { loadProjectConfig, openUserStore } from "@anyrunner/config";
import { runProgram } from "@anyrunner/exec";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createDefaultRegistry } from "./default-registry.ts";
import { trustDriver } from "./driver-consent.ts";

let root: string;
let project: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "anyrunner-drivers-"));
  project = join(root, "project");
  await files({ "package.json": "{}" });
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function files(contents: Readonly<Record<string, string | object>>): Promise<void> {
  for (const [name, content] of Object.entries(contents)) {
    const file = join(project, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  }
}

const source = (name: string, scheme: string) => `export const driver = {
  specVersion: 1, name: "${name}", schemes: ["${scheme}"], capabilities: [], options: [],
  parse: (url) => ({ driver: "${name}", url: url.body }), probe: async () => ({ available: true }), provision: async () => {}, connect: async () => {},
};\n`;

const env = () => ({ HOME: root });
const registry = async (extra: Record<string, string> = {}) =>
  createDefaultRegistry({ cwd: project, env: { ...env(), ...extra }, config: await loadProjectConfig({ cwd: project }) });
const resolve = async (scheme: string, extra?: Record<string, string>) => (await registry(extra)).resolve({ scheme, body: "x", params: [] });

/** Resolves in a Node of its own, whose module errors are the real ones. */
async function resolveInNode(scheme: string): Promise<{ readonly code?: string; readonly message?: string; readonly hint?: string; readonly driver?: string }> {
  const script = `
    const { createDefaultRegistry } = await import(${JSON.stringify(join(import.meta.dirname, "index.ts"))});
    const registry = createDefaultRegistry({ cwd: ${JSON.stringify(project)}, env: { HOME: ${JSON.stringify(root)}, ANYRUNNER_TRUST_DRIVERS: "all" } });
    const answer = await registry.resolve({ scheme: ${JSON.stringify(scheme)}, body: "x", params: [] }).then((resolved) => ({ driver: resolved.driver.name }), (error) => error);
    console.log(JSON.stringify(answer));`;
  const { stdout, stderr } = await runProgram({ command: process.execPath, args: ["--input-type=module", "--eval", script], cwd: project });
  expect(stderr).toBe("");
  return JSON.parse(stdout.toString()) as object;
}

const packaged = (name: string, index: string, extra: object = {}) => ({
  "package.json": { devDependencies: { [name]: "^1.0.0" } },
  "package-lock.json": { packages: { [`node_modules/${name}`]: { version: "1.0.0", integrity: "sha512-x" } } },
  [`node_modules/${name}/package.json`]: {
    name,
    version: "1.0.0",
    type: "module",
    exports: { import: "./index.js" },
    anyrunner: { specVersion: 1, schemes: ["foo"] },
    ...extra,
  },
  [`node_modules/${name}/index.js`]: index,
});

describe("driver packages among the declared dependencies", () => {
  test("one that is trusted is loaded, in a real Node", async () => {
    await files(packaged("anyrunner-driver-foo", source("foo", "foo")));
    expect(await resolveInNode("foo")).toEqual({ driver: "foo" });
  });

  test("an undeclared one is not found, wherever it lies", async () => {
    await files({ ...packaged("anyrunner-driver-foo", source("foo", "foo")), "package.json": "{}" });
    await expect(resolve("foo")).rejects.toMatchObject({ code: "UNKNOWN_SCHEME" });
  });

  test("declared but absent: the exact command to install it", async () => {
    await files({ "package.json": { devDependencies: { "anyrunner-driver-foo": "1" } }, "pnpm-lock.yaml": "" });
    await expect(resolve("foo")).rejects.toMatchObject({ code: "DRIVER_NOT_INSTALLED", hint: "run: pnpm add --save-dev anyrunner-driver-foo" });
  });

  test("declared but absent, one that is installed on first use keeps its schemes", async () => {
    await files({ "package.json": { devDependencies: { "@anyrunner/driver-kubernetes": "1" } } });
    expect((await registry()).candidates("kube-pod").map(({ name }) => name)).toEqual(["kubernetes"]);
  });

  test("a module that is missing inside the driver is not taken for a missing driver", async () => {
    await files(packaged("anyrunner-driver-foo", 'import "its-own-dependency";\n'));
    expect(await resolveInNode("foo")).toMatchObject({ code: "DRIVER_INVALID", message: expect.stringContaining("its-own-dependency") });
  });

  test("a file that is missing inside the driver neither", async () => {
    await files(packaged("anyrunner-driver-foo", 'import "./gone.js";\n'));
    expect(await resolveInNode("foo")).toMatchObject({ code: "DRIVER_INVALID", message: expect.stringContaining("gone.js") });
  });

  test("needs consent, also where a lock file pins it: a repository can write the lock file and what it pins", async () => {
    await files(packaged("anyrunner-driver-foo", source("foo", "foo")));
    await expect(resolve("foo")).rejects.toMatchObject({ code: "PERMISSION_DENIED", hint: expect.stringContaining("anyrunner drivers trust") });
    expect((await resolve("foo", { ANYRUNNER_TRUST_DRIVERS: "all" })).driver.name).toBe("foo");
  });

  test("another specVersion is refused before anything of it runs", async () => {
    await files(packaged("anyrunner-driver-foo", "throw new Error('it ran')", { anyrunner: { specVersion: 2, schemes: ["foo"] } }));
    await expect(resolve("foo")).rejects.toMatchObject({ code: "SPEC_MISMATCH" });
  });

  test("can't take a built-in scheme or name, but the one of a planned driver", async () => {
    await files(packaged("anyrunner-driver-socket", source("socket", "unix"), { anyrunner: { specVersion: 1, schemes: ["unix", "foo"] } }));
    expect((await registry()).candidates("unix").map((entry) => entry.origin)).toEqual(["@anyrunner/driver-socket"]);
    await files(packaged("@anyrunner/driver-kubernetes", source("kubernetes", "kube-pod"), { anyrunner: { specVersion: 1, schemes: ["kube-pod"] } }));
    expect((await resolve("kube-pod", { ANYRUNNER_TRUST_DRIVERS: "all" })).driver.name).toBe("kubernetes");
  });
});

describe("drivers that the configuration names", () => {
  const configure = (drivers: unknown) => files({ "anyrunner.config.json": { drivers } });

  test("a file may not run before the user allows it, and again when it changes", async () => {
    await files({ "toy.mjs": source("toy", "toy") });
    await configure([{ path: "./toy.mjs", name: "toy", schemes: ["toy"] }]);
    await expect(resolve("toy")).rejects.toMatchObject({ code: "PERMISSION_DENIED", message: expect.stringContaining("anyrunner.config.json:1") });
    await trustDriver(join(project, "toy.mjs"), openUserStore({ env: env() }));
    expect((await resolve("toy")).driver.name).toBe("toy");
    await files({ "toy.mjs": `${source("toy", "toy")}// changed\n` });
    await expect(resolve("toy")).rejects.toMatchObject({ code: "PERMISSION_DENIED", message: expect.stringContaining("has changed") });
  });

  test.each([
    ["the file", () => join(project, "toy.mjs"), true],
    ["its folder", () => `/nowhere${delimiter}${project}`, true],
    ["a sibling with the same beginning", () => join(project, "toy"), false],
    ["a relative folder", () => ".", false],
  ])("the environment trusts %s", async (_, value, trusted) => {
    await files({ "toy.mjs": source("toy", "toy") });
    await configure([{ path: "./toy.mjs", name: "toy", schemes: ["toy"] }]);
    const outcome = await resolve("toy", { ANYRUNNER_TRUST_DRIVERS: value() }).catch((error: unknown) => error);
    expect(outcome).toMatchObject(trusted ? { driver: { name: "toy" } } : { code: "PERMISSION_DENIED" });
  });

  test("a folder with a manifest says its own name and schemes", async () => {
    await files({
      "toy/package.json": { name: "x", type: "module", main: "./t.js", anyrunner: { specVersion: 1, name: "toy", schemes: ["toy"] } },
      "toy/t.js": source("toy", "toy"),
    });
    await configure(["./toy"]);
    expect((await resolve("toy", { ANYRUNNER_TRUST_DRIVERS: "all" })).driver.name).toBe("toy");
  });

  test("wins over a built-in scheme, and nothing falls back to the built-in one", async () => {
    await files({ "mine.mjs": source("mine", "unix") });
    await configure([{ path: "./mine.mjs", name: "mine", schemes: ["unix"] }]);
    expect((await registry()).candidates("unix").map((entry) => entry.name)).toEqual(["mine"]);
    expect((await registry()).candidates("tcp").map((entry) => entry.name)).toEqual(["socket"]);
  });

  test("without name and schemes the configuration is wrong", async () => {
    await files({ "toy.mjs": source("toy", "toy") });
    await configure(["./toy.mjs"]);
    await expect(registry()).rejects.toMatchObject({ code: "INVALID_CONFIG", hint: expect.stringContaining("schemes: [foo]") });
  });

  test("a file that is missing is NOT_FOUND", async () => {
    await configure([{ path: "./toy.mjs", name: "toy", schemes: ["toy"] }]);
    await expect(resolve("toy")).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("toy.mjs") });
    await configure(["./gone.mjs"]);
    await expect(registry()).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringMatching(/anyrunner\.config\.json:1 names the driver .*gone\.mjs/),
    });
  });

  test("a package that is missing is named, with the command that installs it, when a scheme is unknown", async () => {
    await configure(["anyrunner-driver-gone"]);
    await expect(resolve("other")).rejects.toMatchObject({
      code: "UNKNOWN_SCHEME",
      message: expect.stringMatching(/anyrunner\.config\.json:1 names anyrunner-driver-gone, which is not installed$/),
      hint: expect.stringMatching(/^run: npm install --save-dev anyrunner-driver-gone\nschemes are /),
    });
    await rm(join(project, "package.json"));
    await expect(resolve("gone")).rejects.toMatchObject({ code: "DRIVER_NOT_INSTALLED", hint: "run: npm install --save-dev anyrunner-driver-gone" });
  });

  test("another specVersion in its manifest is refused before anyone is asked for consent", async () => {
    await files({
      "toy/package.json": { type: "module", main: "./t.js", anyrunner: { specVersion: 2, name: "toy", schemes: ["toy"] } },
      "toy/t.js": "throw new Error('it ran')",
    });
    await configure(["./toy"]);
    await expect(resolve("toy")).rejects.toMatchObject({ code: "SPEC_MISMATCH" });
  });

  test("a driver that isn't one is refused", async () => {
    await files({ "toy.mjs": "export const driver = { specVersion: 1 };\n" });
    await configure([{ path: "./toy.mjs", name: "toy", schemes: ["toy"] }]);
    await expect(resolve("toy", { ANYRUNNER_TRUST_DRIVERS: "all" })).rejects.toMatchObject({ code: "DRIVER_INVALID" });
  });
});
