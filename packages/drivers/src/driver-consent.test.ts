import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { openUserStore } from "@anyrunner/config";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { requireDriverConsent, trustDriver } from "./driver-consent.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "anyrunner-consent-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function write(contents: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(contents)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
}

const store = () => openUserStore({ env: { HOME: join(root, "home") } });
const trust = (path: string) => trustDriver(join(root, path), store());
const ask = (path: string, variable = "") =>
  requireDriverConsent({ path: join(root, path), place: "a test", env: { ANYRUNNER_TRUST_DRIVERS: variable }, store: store() });

const PACKAGE = {
  "driver/package.json": '{ "exports": "./src/index.js", "anyrunner": { "specVersion": 1, "name": "foo", "schemes": ["foo"] } }',
  "driver/src/index.js": 'import "./part.js";',
  "driver/src/part.js": "",
  "driver/data.bin": "1",
};

describe("a consent to a package covers its whole folder", () => {
  test.each(["driver", "driver/src/index.js"])("given to %s, it counts for the folder and for the file", async (given) => {
    await write(PACKAGE);
    await expect(ask("driver")).rejects.toMatchObject({ code: "PERMISSION_DENIED", message: expect.stringContaining("before you allow it") });
    expect(await trust(given)).toMatchObject({ path: join(root, "driver"), fileCount: 4 });
    await ask("driver");
    await ask("driver/src/index.js");
  });

  test.each([
    ["another file than the entry", "driver/src/part.js", "evil()"],
    ["a new file", "driver/src/new.js", ""],
    ["its data", "driver/data.bin", "2"],
    ["its manifest", "driver/package.json", PACKAGE["driver/package.json"].replace("index", "part")],
  ])("%s changes: asked again", async (_, file, content) => {
    await write(PACKAGE);
    await trust("driver");
    await write({ [file]: content });
    await expect(ask("driver")).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringContaining("has changed"),
      details: { changed: true },
    });
    await trust("driver");
    await ask("driver");
  });

  test("what is installed for it is not covered", async () => {
    await write(PACKAGE);
    await trust("driver");
    await write({ "driver/node_modules/other/index.js": "" });
    await ask("driver");
  });

  test("what lies outside and is imported by a path, or through a link, is", async () => {
    await write({ ...PACKAGE, "driver/src/index.js": "export * from '../../shared/more.js';", "shared/more.js": "1", "other/linked.js": "1" });
    await symlink(join(root, "other"), join(root, "driver/linked"));
    await trust("driver");
    await write({ "shared/more.js": "2" });
    await expect(ask("driver")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await trust("driver");
    await write({ "other/linked.js": "2" });
    await expect(ask("driver")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  test("so is an entry that its manifest puts outside", async () => {
    await write({ ...PACKAGE, "driver/package.json": PACKAGE["driver/package.json"].replace("./src", "../shared"), "shared/index.js": "1" });
    await trust("driver");
    await write({ "shared/index.js": "2" });
    await expect(ask("driver")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  test("a copy elsewhere is another driver: it takes its imports from other packages", async () => {
    await write(PACKAGE);
    await write(Object.fromEntries(Object.entries(PACKAGE).map(([name, content]) => [`copy/${name}`, content])));
    await trust("driver");
    await expect(ask("copy/driver")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });
});

describe("a consent to a single file", () => {
  test("covers what it imports by a path, and the code beside it", async () => {
    await write({
      "tools/foo.ts": 'const { a } = await import("./deep/a.ts");',
      "tools/deep/a.ts": 'import "./b"',
      "tools/deep/b.ts": "1",
      "tools/beside.js": "1",
      "tools/notes.md": "1",
    });
    await trust("tools/foo.ts");
    await write({ "tools/notes.md": "2", "tools/deep/not-imported.ts": "2" });
    await ask("tools/foo.ts");
    for (const file of ["tools/deep/b.ts", "tools/beside.js"]) {
      await write({ [file]: "2" });
      await expect(ask("tools/foo.ts")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
      await trust("tools/foo.ts");
    }
  });

  test("in a project's own folder doesn't cover the project", async () => {
    await write({ "package.json": "{}", "foo.ts": 'import "./part.ts"', "part.ts": "1", "main.ts": "1" });
    expect(await trust("foo.ts")).toMatchObject({ path: join(root, "foo.ts"), fileCount: 2 });
    await write({ "main.ts": "2" });
    await ask("foo.ts");
  });
});

test("a folder without package.json, and what is not there, can't be allowed", async () => {
  await write({ "empty/x.txt": "" });
  await expect(trust("empty")).rejects.toMatchObject({ code: "NOT_FOUND", hint: expect.stringContaining("file") });
  await expect(trust("gone")).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("gone") });
});

test("a relative path in the variable counts for nothing, and the message says so", async () => {
  await write(PACKAGE);
  await expect(ask("driver", `./driver${delimiter}lib`)).rejects.toMatchObject({
    code: "PERMISSION_DENIED",
    hint: expect.stringContaining('"./driver", "lib" of ANYRUNNER_TRUST_DRIVERS counts for nothing: it takes absolute paths'),
  });
  await ask("driver", join(root, "driver"));
});
