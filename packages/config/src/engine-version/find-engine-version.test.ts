import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { findEngineVersion, requireOneEngine } from "./find-engine-version.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "version-"));
  await mkdir(join(root, ".git"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
}
const find = (folder = ".", options = {}) => findEngineVersion({ cwd: join(root, folder), env: {}, ...options });
/** `version of place`, with the place relative to the project. */
async function chosen(folder?: string): Promise<string | undefined> {
  const found = (await find(folder)).chosen;
  return found && `${found.version} ${found.of} ${found.place.slice(root.length + 1)}${found.exact ? "" : " (range)"}`;
}

const PACKAGE = JSON.stringify({ devDependencies: { "@dagger.io/dagger": "^0.21.0" } });

describe("TypeScript", () => {
  test.each([
    ["package-lock.json", JSON.stringify({ packages: { "": {}, "node_modules/@dagger.io/dagger": { version: "0.21.8" } } })],
    ["package-lock.json", JSON.stringify({ lockfileVersion: 1, dependencies: { "@dagger.io/dagger": { version: "0.21.8" } } })],
    [
      "pnpm-lock.yaml",
      "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    devDependencies:\n      '@dagger.io/dagger':\n        specifier: ^0.21.0\n        version: 0.21.8(typescript@5.9.2)\n\npackages:\n",
    ],
    ["pnpm-lock.yaml", "lockfileVersion: 5.4\n\nspecifiers:\n  '@dagger.io/dagger': ^0.21.0\n\ndevDependencies:\n  '@dagger.io/dagger': 0.21.8\n\npackages:\n"],
    [
      "pnpm-lock.yaml",
      "lockfileVersion: 5.4\n\nimporters:\n\n  .:\n    specifiers:\n      '@dagger.io/dagger': ^0.21.0\n    devDependencies:\n      '@dagger.io/dagger': 0.21.8_typescript@5.9.2\n\npackages:\n",
    ],
    ["yarn.lock", '"@dagger.io/dagger@^0.20.0":\n  version "0.20.1"\n\n"@dagger.io/dagger@^0.21.0":\n  version "0.21.8"\n  resolved "https://x"\n'],
    ["yarn.lock", '"@dagger.io/dagger@npm:^0.21.0":\n  version: 0.21.8\n  resolution: "@dagger.io/dagger@npm:0.21.8"\n'],
    ["bun.lock", '{ "packages": { "@dagger.io/dagger": ["@dagger.io/dagger@0.21.8", "", {}] } }'],
  ])("%s says the exact version (%#)", async (name, text) => {
    await write({ "package.json": PACKAGE, [name]: text });
    expect(await chosen()).toBe(`v0.21.8 TypeScript SDK ${name}`);
  });

  test("the lockfile of a workspace lies above its members, each with its own version", async () => {
    await write({
      "ci/package.json": PACKAGE,
      "pnpm-lock.yaml":
        "importers:\n\n  .:\n    dependencies:\n      '@dagger.io/dagger':\n        specifier: 1\n        version: 0.19.0\n\n  ci:\n    devDependencies:\n      other:\n        specifier: 1\n        version: 1.0.0\n      '@dagger.io/dagger':\n        specifier: ^0.21.0\n        version: 0.21.8\n\npackages:\n",
    });
    expect(await chosen("ci")).toBe("v0.21.8 TypeScript SDK pnpm-lock.yaml");
  });

  test("without a lockfile it is the oldest that the manifest allows", async () => {
    await write({ "package.json": PACKAGE });
    expect(await chosen()).toBe("v0.21.0 TypeScript SDK package.json (range)");
  });

  test.each(["workspace:*", "file:../sdk", "latest"])("%s is no version", async (requirement) => {
    await write({ "package.json": JSON.stringify({ dependencies: { "@dagger.io/dagger": requirement } }) });
    expect(await chosen()).toBeUndefined();
  });
});

describe("Python", () => {
  const PROJECT = '[project]\ndependencies = ["httpx", "dagger-io>=0.18"]\n';
  test.each([
    ["uv.lock", { "pyproject.toml": PROJECT, "uv.lock": '[[package]]\nname = "dagger-io"\nversion = "0.21.8"\nsource = { registry = "x" }\n' }],
    [
      "poetry.lock",
      { "pyproject.toml": '[tool.poetry.dependencies]\ndagger-io = "^0.18"\n', "poetry.lock": '[[package]]\nname = "dagger-io"\nversion = "0.21.8"\n' },
    ],
    ["requirements.txt", { "requirements.txt": "httpx\ndagger-io==0.21.8 ; python_version > '3.9'\n" }],
    ["pyproject.toml", { "pyproject.toml": '[project]\ndependencies = ["dagger-io[otel]==0.21.8"]\n' }],
  ])("%s", async (place, files) => {
    await write(files);
    expect(await chosen()).toBe(`v0.21.8 Python SDK ${place}`);
  });

  test("a pre-release is spelled as the engine spells it", async () => {
    await write({ "requirements.txt": "dagger_io==1.0.0b10\n" });
    expect(await chosen()).toBe("v1.0.0-beta.10 Python SDK requirements.txt");
  });

  test("another package of a lockfile is none of ours", async () => {
    await write({ "pyproject.toml": '[project]\nname = "x"\n', "uv.lock": '[[package]]\nname = "dagger-io-extra"\nversion = "1.0.0"\n' });
    expect(await chosen()).toBeUndefined();
  });
});

describe("Go and modules", () => {
  test.each([
    ["require dagger.io/dagger v0.21.8\n", "v0.21.8 Go SDK go.mod"],
    ["require (\n\tgolang.org/x/mod v0.1.0\n\tdagger.io/dagger v0.21.8 // indirect\n)\n", "v0.21.8 Go SDK go.mod"],
    ["require dagger.io/dagger v0.20.0\nreplace dagger.io/dagger => dagger.io/dagger v0.21.8\n", "v0.21.8 Go SDK go.mod"],
    ["require dagger.io/dagger v0.20.0\nreplace dagger.io/dagger => ../sdk\n", undefined],
    ["require dagger.io/dagger v0.0.0-20260101120000-0123456789ab\n", undefined],
  ])("go.mod %j", async (text, expected) => {
    await write({ "go.mod": `module x\n\n${text}` });
    expect(await chosen()).toBe(expected);
  });

  test("dagger.json", async () => {
    await write({ "dagger.json": '{ "name": "x", "engineVersion": "v0.21.4" }' });
    expect(await chosen()).toBe("v0.21.4 module dagger.json");
  });

  test("a broken file says nothing", async () => {
    await write({ "dagger.json": "{", "package.json": "[]", "go.mod": "" });
    expect(await find()).toEqual({ clues: [], conflicts: [] });
  });
});

describe("where", () => {
  test("the nearest folder that says something, not beyond the repository", async () => {
    await write({ "dagger.json": '{ "engineVersion": "v0.20.0" }', "a/b/x": "", "inner/.git/x": "", "inner/go.mod": "module x\n" });
    expect(await chosen("a/b")).toBe("v0.20.0 module dagger.json");
    expect(await chosen("inner")).toBeUndefined();
  });
});

describe("several", () => {
  test("the newest is chosen, since engines accept older clients; the others are told", async () => {
    await write({ "dagger.json": '{ "engineVersion": "v0.20.3" }', "go.mod": "require dagger.io/dagger v0.21.8\n" });
    const found = await find();
    expect([found.chosen?.version, found.conflicts.map(({ version }) => version), found.clues.length]).toEqual(["v0.21.8", ["v0.20.3"], 2]);
    expect(() => requireOneEngine(found)).not.toThrow();
  });

  test("a pair that no engine serves is refused with the window", async () => {
    await write({ "dagger.json": '{ "engineVersion": "v0.18.3" }', "go.mod": "require dagger.io/dagger v0.21.8\n" });
    const found = await find();
    expect(() => requireOneEngine(found)).toThrow(
      expect.objectContaining({
        code: "VERSION_MISMATCH",
        message: expect.stringMatching(/v0\.18\.3 \(module.*v0\.21\.8 \(Go SDK.*accepts clients from v0\.19\.0 on/),
      }),
    );
  });
});

describe("the dagger on PATH", () => {
  async function shim(script: string): Promise<string> {
    await write({ "bin/dagger": `#!/bin/sh\n${script}\n` });
    await chmod(join(root, "bin/dagger"), 0o755);
    return join(root, "bin");
  }

  test("is asked only when told to", async () => {
    const PATH = await shim('echo "$@" >> "$0.log"; echo "dagger v0.21.8 (registry.dagger.io/engine:v0.21.8) linux/amd64"');
    expect((await find(".", { env: { PATH } })).chosen).toBeUndefined();
    expect((await find(".", { env: { PATH }, askCli: true })).chosen).toEqual({ version: "v0.21.8", exact: true, of: "Dagger CLI", place: "dagger version" });
  });

  test("it may be asked only when the project says nothing", async () => {
    const env = { PATH: await shim("echo dagger v0.20.1") };
    expect((await find(".", { env, askCli: "last" })).chosen?.version).toBe("v0.20.1");
    await write({ "dagger.json": '{ "engineVersion": "v0.19.0" }' });
    expect((await find(".", { env, askCli: "last" })).clues.map(({ version }) => version)).toEqual(["v0.19.0"]);
  });

  test.each([
    ["one that fails", "exit 3"],
    ["one that says something else", "echo hello"],
  ])("%s says nothing", async (_, script) => {
    expect((await find(".", { env: { PATH: await shim(script) }, askCli: true })).chosen).toBeUndefined();
  });

  test("one that is missing says nothing", async () => {
    expect((await find(".", { env: { PATH: "/nowhere" }, askCli: true })).chosen).toBeUndefined();
  });
});
