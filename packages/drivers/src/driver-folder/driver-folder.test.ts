import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { loadProjectConfig, openUserStore, withFileLock } from "@anyrunner/config";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { createDefaultRegistry } from "../default-registry.ts";
import { addDriver, type InstallPackage } from "./add-driver.ts";
import { driverFolder } from "./driver-folder.ts";
import { removeDriver } from "./remove-driver.ts";

/** Folders that can't be renamed, as on Windows while a file in them is open. */
const inUse = vi.hoisted(() => new Set<string>());
vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs/promises")>();
  const rename = async (from: string, to: string) => {
    if (inUse.has(from)) throw Object.assign(new Error(`EPERM: operation not permitted, rename '${from}'`), { code: "EPERM" });
    return real.rename(from, to);
  };
  return { ...real, rename };
});

let home: string;
let project: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "anyrunner-folder-"));
  project = join(home, "project");
  await files(project, { "package.json": {} });
});
afterEach(async () => {
  inUse.clear();
  await rm(home, { recursive: true, force: true });
});

const env = () => ({ HOME: home });
const store = () => openUserStore({ env: env() });
const FOO = "anyrunner-driver-foo";
const place = (file = "") => join(driverFolder(env()), FOO, "node_modules", FOO, file);

async function files(folder: string, contents: Readonly<Record<string, string | object>>): Promise<void> {
  for (const [name, content] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
}

const source = (name: string, scheme: string) => `export const driver = {
  specVersion: 1, name: "${name}", schemes: ["${scheme}"], capabilities: [], options: [],
  parse: (url) => ({ driver: "${name}", url: url.body }), probe: async () => ({ available: true }), provision: async () => {}, connect: async () => {},
};\n`;

interface Published {
  readonly version?: string;
  readonly integrity?: string;
  readonly code?: string;
  readonly manifest?: object;
}

/** Does what npm does with a package that a registry has. */
function registryWith({ version = "1.0.0", integrity = "sha512-one", code = source("foo", "foo"), manifest = {} }: Published = {}): InstallPackage {
  return ({ prefix, spec }) => {
    const name = spec.slice(0, spec.indexOf("@", 1));
    return files(prefix, {
      [`node_modules/${name}/package.json`]: {
        name,
        version,
        type: "module",
        exports: "./index.js",
        anyrunner: { specVersion: 1, schemes: ["foo"] },
        ...manifest,
      },
      [`node_modules/${name}/index.js`]: code,
      "node_modules/.package-lock.json": {
        packages: { [`node_modules/${name}`]: { version, integrity }, "node_modules/dependency": { version: "2.0.0", integrity: "sha512-d" } },
      },
    });
  };
}

const add = (install = registryWith(), name = "foo") => addDriver({ name, env: env(), store: store(), install });
const registry = async () => createDefaultRegistry({ cwd: project, env: env(), config: await loadProjectConfig({ cwd: project }) });
const resolve = async (scheme = "foo") => (await registry()).resolve({ scheme, body: "x", params: [] });

describe("adding", () => {
  test("is the consent: the driver loads, and version, integrity and content are remembered", async () => {
    expect(await add()).toMatchObject({ name: "foo", schemes: ["foo"], driver: { package: FOO, version: "1.0.0", integrity: "sha512-one" } });
    expect((await resolve()).driver.name).toBe("foo");
    expect((await registry()).entries.find(({ name }) => name === "foo")).toMatchObject({
      origin: FOO,
      foundBy: "driver folder",
      version: "1.0.0",
      specVersion: 1,
    });
    expect((await store().read()).installedDrivers).toMatchObject([
      { path: place().replace(/\/$/, ""), version: "1.0.0", integrity: "sha512-one", sha256: expect.any(String) },
    ]);
  });

  test.each([
    ["npm fails", () => Promise.reject(new Error("no network")), /no network/],
    ["it is no driver", registryWith({ version: "2.0.0", manifest: { anyrunner: {} } }), /doesn't say its schemes/],
    ["it is of another interface version", registryWith({ version: "2.0.0", manifest: { anyrunner: { specVersion: 2, schemes: ["foo"] } } }), /specVersion 2/],
    ["npm put nothing there", () => Promise.resolve(), /npm installed no/],
    ["a version that was approved comes with another content", registryWith({ integrity: "sha512-two" }), /integrity is another/],
  ])("when %s, what was there before stays and still runs", async (_, install: InstallPackage, message) => {
    await add();
    await expect(add(install)).rejects.toThrow(message);
    expect((await resolve()).driver.name).toBe("foo");
    expect(await readdir(driverFolder(env()))).toEqual([FOO]);
  });

  test("again, another version takes its place", async () => {
    await add();
    expect(await add(registryWith({ version: "1.1.0", integrity: "sha512-two" }))).toMatchObject({ replaced: "1.0.0" });
    expect((await store().read()).installedDrivers).toMatchObject([{ version: "1.1.0" }]);
    expect((await registry()).entries.find(({ name }) => name === "foo")?.version).toBe("1.1.0");
    await resolve();
  });

  test("when the consent can't be written, the old version is put back", async () => {
    await add();
    const broken = { ...store(), update: () => Promise.reject(new Error("disk full")) };
    await expect(addDriver({ name: "foo", env: env(), store: broken, install: registryWith({ version: "1.1.0", integrity: "sha512-two" }) })).rejects.toThrow(
      "disk full",
    );
    expect((await resolve()).driver.name).toBe("foo");
    expect((await registry()).entries.find(({ name }) => name === "foo")?.version).toBe("1.0.0");
  });

  test("when the old version can't be taken away, as where one of its files is in use, it stays", async () => {
    await add();
    inUse.add(join(driverFolder(env()), FOO));
    await expect(add(registryWith({ version: "1.1.0", integrity: "sha512-two" }))).rejects.toMatchObject({ code: "EPERM" });
    expect((await registry()).entries.find(({ name }) => name === "foo")?.version).toBe("1.0.0");
    expect((await resolve()).driver.name).toBe("foo");
    expect(await readdir(driverFolder(env()))).toEqual([FOO]);
  });

  test.each([
    "../evil",
    "./x.tgz",
    "https://x/y.tgz",
    "git+ssh://x/y",
    "foo@npm:bar",
    "foo@file:../x",
    "a/b/c",
    "",
    "-g",
    "@x",
    "foo bar",
    "node_modules/x",
    "Foo",
  ])("npm never hears of %j", async (name) => {
    const install: InstallPackage = () => Promise.reject(new Error("npm was called"));
    await expect(add(install, name)).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });

  test.each([
    ["kubernetes", "@anyrunner/driver-kubernetes@latest"],
    ["my-cloud@^2", "anyrunner-driver-my-cloud@^2"],
    ["anyrunner-driver-x@1.0.0-rc.1", "anyrunner-driver-x@1.0.0-rc.1"],
    ["@me/anyrunner-driver-x", "@me/anyrunner-driver-x@latest"],
  ])("%s is the package %s", async (name, spec) => {
    const specs: string[] = [];
    await expect(add(async (options) => void specs.push(options.spec), name)).rejects.toMatchObject({ code: "DRIVER_INVALID" });
    expect(specs).toEqual([spec]);
  });

  test("what comes with anyrunner needs no adding", async () => {
    await expect(add(registryWith(), "docker")).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  });
});

describe("what was added and is no longer what it was", () => {
  test.each([
    ["its code", "index.js", "throw new Error('it ran')\n"],
    ["a file more", "extra.js", ""],
    ["its dependencies", "../.package-lock.json", JSON.stringify({ packages: { [`node_modules/${FOO}`]: { version: "1.0.0", integrity: "sha512-one" } } })],
  ])("does not run: %s", async (_, file, content) => {
    await add();
    await writeFile(place(file), content);
    await expect(resolve()).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringContaining("has changed since you installed it"),
      hint: expect.stringContaining(`anyrunner drivers add ${FOO}`),
    });
  });

  test("what lies in the folder without having been added does not run", async () => {
    await add();
    await store().update((settings) => ({ ...settings, installedDrivers: [] }));
    await expect(resolve()).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringContaining("was not installed by anyrunner drivers add"),
    });
  });
});

describe.skipIf(process.platform === "win32")("what others may write to", () => {
  test.each([
    ["a file of the driver", () => place("index.js"), 0o666],
    ["a file of the driver, by its group", () => place("index.js"), 0o664],
    ["the folder of the driver", () => place(), 0o777],
    ["a folder above it", () => join(home, ".local"), 0o777],
  ])("does not run: %s", async (what, path, mode) => {
    await add();
    await chmod(path(), mode);
    if (mode === 0o664 && process.getuid?.() === process.getgid?.()) return expect((await resolve()).driver.name).toBe("foo");
    await expect(resolve()).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringContaining("others may write to"),
      hint: expect.stringContaining("chmod go-w"),
    });
  });

  test("a folder into which others may put things is not installed into", async () => {
    await mkdir(join(home, ".local/share"), { recursive: true });
    await chmod(join(home, ".local/share"), 0o777);
    await expect(add()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  test("a generous umask at installation doesn't matter", async () => {
    const install = registryWith();
    await add(async (options) => {
      await install(options);
      await chmod(join(options.prefix, "node_modules", FOO, "index.js"), 0o666);
    });
    await resolve();
  });
});

test("a repository's own files can't approve", async () => {
  await add();
  const { installedDrivers } = await store().read();
  await writeFile(place("index.js"), `${source("foo", "foo")}// changed\n`);
  await files(project, {
    "anyrunner.config.json": { runner: "foo://x" },
    "config.json": { installedDrivers },
    ".config/anyrunner/config.json": { installedDrivers },
    ".env": "ANYRUNNER_TRUST_DRIVERS=all\n",
  });
  await expect(resolve()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
});

describe("the order", () => {
  test("a dependency of the project comes before the driver folder, which comes before what is installed on demand", async () => {
    await add(registryWith({ manifest: { anyrunner: { specVersion: 1, name: "mine", schemes: ["kube-pod", "foo"] } } }));
    expect((await registry()).candidates("kube-pod").map(({ origin }) => origin)).toEqual([FOO]);
    await files(project, {
      "package.json": { dependencies: { "anyrunner-driver-own": "1" } },
      "node_modules/anyrunner-driver-own/package.json": {
        name: "anyrunner-driver-own",
        type: "module",
        exports: "./i.js",
        anyrunner: { specVersion: 1, schemes: ["foo"] },
      },
    });
    expect((await registry()).candidates("foo").map(({ origin }) => origin)).toEqual(["anyrunner-driver-own"]);
  });

  test("no driver of the folder takes a built-in scheme", async () => {
    await add(registryWith({ manifest: { anyrunner: { specVersion: 1, schemes: ["unix", "foo"] } } }));
    expect((await registry()).candidates("unix").map(({ origin }) => origin)).toEqual(["@anyrunner/driver-socket"]);
  });
});

describe("removing", () => {
  test.each(["foo", FOO])("by %s takes files and consent away", async (name) => {
    await add();
    expect(await removeDriver({ name, env: env(), store: store() })).toBe(FOO);
    expect(await readdir(driverFolder(env()))).toEqual([]);
    expect((await store().read()).installedDrivers).toEqual([]);
    await expect(resolve()).rejects.toMatchObject({ code: "UNKNOWN_SCHEME" });
  });

  test("waits while another process adds one", async () => {
    await add();
    await withFileLock(join(driverFolder(env()), ".lock"), () =>
      expect(removeDriver({ name: "foo", env: env(), store: store() })).rejects.toMatchObject({ code: "TIMEOUT" }),
    );
    expect((await resolve()).driver.name).toBe("foo");
  });

  test("what isn't there is NOT_FOUND, and names what is", async () => {
    await add();
    await expect(removeDriver({ name: "../..", env: env(), store: store() })).rejects.toMatchObject({ code: "NOT_FOUND", hint: `it holds ${FOO}` });
  });
});
