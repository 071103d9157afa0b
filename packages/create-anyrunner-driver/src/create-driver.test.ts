import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createDriver } from "./create-driver.ts";
import { driverNames, renamed } from "./driver-names.ts";
import { templateFiles } from "./template-files.ts";

let cwd: string;
beforeEach(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), "create-driver-")));
});
afterEach(() => {
  rmSync(cwd, { recursive: true, force: true });
});

describe("the name", () => {
  test("is used in each form that code needs", () => {
    const names = driverNames("anyrunner-driver-my-cloud2");
    expect(names).toEqual({ kebab: "my-cloud2", pascal: "MyCloud2", constant: "MY_CLOUD2" });
    expect(renamed("createEchoDriver ECHO_OPTIONS echo://", names)).toBe("createMyCloud2Driver MY_CLOUD2_OPTIONS my-cloud2://");
  });

  /** Makes a driver of that name in an empty folder, and looks at all that is there then. */
  const expectOneFolder = (name: string, inRepository: boolean) => {
    const root = mkdtempSync(join(cwd, "case-"));
    const parent = join(root, "here");
    mkdirSync(join(parent, "packages"), { recursive: true });
    try {
      const { directory } = createDriver({ name, cwd: parent, inRepository });
      expect(dirname(directory)).toBe(inRepository ? join(parent, "packages") : parent);
      expect(readdirSync(root)).toEqual(["here"]);
      expect([...readdirSync(parent), ...readdirSync(join(parent, "packages"))]).toHaveLength(2);
    } catch (error) {
      expect((error as Error).message).toMatch(/is no name for a driver|is longer than 40/);
      expect([...readdirSync(root), ...readdirSync(parent), ...readdirSync(join(parent, "packages"))]).toEqual(["here", "packages"]);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  };

  test.each([
    "..",
    "../x",
    "/etc",
    "a/b",
    "a\\b",
    "C:x",
    ".",
    "",
    "A",
    "a b",
    "a\0b",
    "a\nb",
    "-x",
    "x-",
    "x--y",
    "__proto__",
    "constructor",
    "node_modules",
    "%2e%2e",
  ])("%j: at most one folder is made, of that name, in the folder that was meant", (name) => {
    for (const inRepository of [false, true]) expectOneFolder(name, inRepository);
  });

  test("so it is with any other", () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,50}$/);
    // Each that is a name costs a whole package on the disk.
    fc.assert(fc.property(fc.oneof(word, fc.string({ maxLength: 60 })), fc.boolean(), expectOneFolder), { numRuns: 60 });
  });
});

describe("what is there already", () => {
  const place = () => join(cwd, "anyrunner-driver-foo");
  test.each([
    ["a folder", () => mkdirSync(place())],
    ["a file", () => writeFileSync(place(), "mine")],
    ["a link that leads nowhere", () => symlinkSync(join(cwd, "nowhere"), place())],
  ])("%s stays as it is", (_, make) => {
    make();
    const before = readdirSync(cwd);
    expect(() => createDriver({ name: "foo", cwd })).toThrow(/anyrunner-driver-foo is there already/);
    expect(readdirSync(cwd)).toEqual(before);
    expect(existsSync(join(cwd, "nowhere"))).toBe(false);
    expect(readdirSync(cwd, { recursive: true })).toEqual(before);
  });
});

describe("the package", () => {
  test("has nothing of the template's name, of its workspace, or of its runners in memory", () => {
    const { directory, files, packageName } = createDriver({ name: "foo", cwd });
    expect(packageName).toBe("anyrunner-driver-foo");
    expect(readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())).toHaveLength(files.length);
    for (const file of files) {
      const text = readFileSync(join(directory, file), "utf8");
      expect(text, file).not.toMatch(/echo|in-memory|\.start\.ts'?"?;/i);
    }
    expect(files.filter((file) => file.includes(".start."))).toEqual([]);
  });

  test("announces its driver, exports what was built, and depends on what its own versions are", () => {
    const { directory } = createDriver({ name: "my-cloud", cwd });
    const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Record<string, unknown>;
    expect(manifest).toMatchObject({
      name: "anyrunner-driver-my-cloud",
      exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
      files: ["dist"],
      anyrunner: { specVersion: 1, name: "my-cloud", schemes: ["my-cloud"] },
    });
    expect(manifest["private"]).toBeUndefined();
    expect(readdirSync(directory)).toEqual([
      ".gitignore",
      ".oxlintrc.json",
      "LICENSE",
      "README.md",
      "package.json",
      "src",
      "tsconfig.build.json",
      "tsconfig.json",
    ]);
  });

  test("in the repository has the repository's manifest, and none of the files that the repository has for all", () => {
    mkdirSync(join(cwd, "packages"));
    const { files, directory } = createDriver({ name: "foo", cwd, inRepository: true });
    expect(files.filter((file) => !file.startsWith("src/"))).toEqual(["README.md", "package.json"]);
    const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as object;
    expect(manifest).toMatchObject({ name: "@anyrunner/driver-foo", dependencies: { "@anyrunner/core": "workspace:^" }, driver: { schemes: ["foo"] } });
  });

  test("takes each unwritten file in place of the template's own", () => {
    expect([...templateFiles().values()].filter((text) => text.includes("left to write")).length).toBe(2);
  });
});
