import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { RunnerError } from "@anyrunner/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { loadProjectConfig, parseProjectConfig } from "./project-config.ts";

describe("parseProjectConfig", () => {
  test("reads a runner and drivers", async () => {
    const config = await parseProjectConfig(
      "runner: docker-container://My-Engine\ndrivers:\n  - ./tools/driver.ts\n  - anyrunner-driver-foo\n",
      "/p/anyrunner.config.yaml",
    );
    expect(config).toEqual({
      file: "/p/anyrunner.config.yaml",
      directory: "/p",
      runner: "docker-container://My-Engine",
      drivers: [
        { kind: "path", path: "/p/tools/driver.ts", place: "/p/anyrunner.config.yaml:3" },
        { kind: "package", package: "anyrunner-driver-foo", place: "/p/anyrunner.config.yaml:4" },
      ],
    });
  });

  test("reads where images of engines come from", async () => {
    expect(await parseProjectConfig('image: "registry.corp/dagger/engine:{version}"\n', "/p/c.yaml")).toMatchObject({
      image: "registry.corp/dagger/engine:{version}",
    });
    await expect(parseProjectConfig("\nimage: registry.corp/engine\n", "/p/c.yaml")).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringContaining('/p/c.yaml:2: "image" can\'t be used'),
    });
  });

  test("a driver can say its name and schemes", async () => {
    const config = await parseProjectConfig("drivers:\n  - path: toy.ts\n    name: toy\n    schemes: [toy, toy+x]\n  - package: '@acme/foo'\n", "/p/c.yaml");
    expect(config.drivers).toEqual([
      { kind: "path", path: "/p/toy.ts", name: "toy", schemes: ["toy", "toy+x"], place: "/p/c.yaml:2" },
      { kind: "package", package: "@acme/foo", name: undefined, schemes: undefined, place: "/p/c.yaml:5" },
    ]);
  });

  test.each(["", "# nothing\n", "runner:\n"])("%j says nothing", async (text) => {
    expect(await parseProjectConfig(text, "/p/anyrunner.config.yaml")).toMatchObject({ runner: undefined, drivers: [] });
  });

  test.each<[string, string, string, RegExp]>([
    ["a misspelt key", "# x\nruner: embedded://\n", '/p/c.yaml:2: unknown key "runer"', /did you mean "runner"/],
    ["a broken URL", "\nrunner: embedded\n", '/p/c.yaml:2: runner URL "embedded" can\'t be parsed', /write embedded:/],
    ["a runner that is no text", "runner: [a]\n", '/p/c.yaml:1: "runner" must be a URL', /embedded/],
    ["broken YAML", "runner: a\n  b: :c\n", "/p/c.yaml:", /correct/],
    ["a repeated key", "runner: a://\nrunner: b://\n", "/p/c.yaml:2:", /correct/],
    ["a tag", "runner: !!js/function 'x'\n", "/p/c.yaml:1:", /correct/],
    ["a list on top", "- a\n", "/p/c.yaml:1: it must hold keys and values", /runner/],
    ["drivers that are no list", "runner: a://\ndrivers: x\n", '/p/c.yaml:2: "drivers" must be a list', /package names/],
    ["a misspelt key of a driver", "drivers:\n- path: ./a\n  scheme: [a]\n", '/p/c.yaml:3: unknown key "scheme"', /did you mean "schemes"/],
    ["a driver of both kinds", "drivers:\n- path: ./a\n  package: b\n", "/p/c.yaml:2: a driver needs either", /package names/],
    ["a scheme with a separator", "drivers:\n- path: ./a\n  schemes: ['a://']\n", '/p/c.yaml:3: "schemes" must be', /package names/],
    ["a driver that is a URL", "drivers:\n- a\n- https://x/y\n", '/p/c.yaml:3: "https://x/y" names no driver', /package names/],
  ])("refuses %s with its place", async (_, text, message, hint) => {
    await expect(parseProjectConfig(text, "/p/c.yaml")).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringContaining(message),
      hint: expect.stringMatching(hint),
    });
  });

  test("JSON is strict and has places, too", async () => {
    expect(await parseProjectConfig('{ "$schema": "x", "runner": "tcp://a:1" }', "/p/c.json")).toMatchObject({ runner: "tcp://a:1" });
    await expect(parseProjectConfig('{\n "runner": "tcp://a:1",\n}', "/p/c.json")).rejects.toMatchObject({ message: expect.stringContaining("/p/c.json:3") });
    await expect(parseProjectConfig('{\n "runer": "tcp://a:1"\n}', "/p/c.json")).rejects.toMatchObject({
      message: expect.stringContaining("/p/c.json:2: unknown key"),
    });
  });

  test("never shows a password of the runner URL", async () => {
    const error: unknown = await parseProjectConfig("runner: tcp://me:hunter2@host:1#x", "/p/c.yaml").catch((reason: unknown) => reason);
    expect((error as Error).message).toContain("***");
    expect((error as Error).message).not.toContain("hunter2");
  });

  test("any text gives a configuration or INVALID_CONFIG", async () => {
    const yamlish = fc
      .array(
        fc.constantFrom(
          "runner",
          "drivers",
          ":",
          " ",
          "\n",
          "- ",
          "&a",
          "*a",
          "{",
          "}",
          "[",
          "]",
          "!!x",
          '"',
          "'",
          "embedded://",
          "<<",
          "?",
          "|",
          ">",
          "%",
          "\t",
          "#",
          ",",
          "1",
        ),
        { maxLength: 30 },
      )
      .map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), yamlish, fc.json()), fc.constantFrom("/p/c.yaml", "/p/c.json"), async (text, file) => {
        try {
          const config = await parseProjectConfig(text, file);
          expect(config.runner === undefined || config.runner.includes("://")).toBe(true);
        } catch (error) {
          if (!RunnerError.is(error) || error.code !== "INVALID_CONFIG" || !error.message.startsWith(file)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("aliases can't blow up the memory", async () => {
    const bomb = `a0: &a0 [x,x]\n${Array.from({ length: 40 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index},*a${index},*a${index}]`).join("\n")}\n`;
    await expect(parseProjectConfig(bomb, "/p/c.yaml")).rejects.toMatchObject({ code: "INVALID_CONFIG" });
  });
});

describe("loadProjectConfig", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "anyrunner-config-"));
  });
  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  test("takes the nearest file upwards, and only that", async () => {
    await mkdir(join(root, "a/b/c"), { recursive: true });
    await writeFile(join(root, "anyrunner.config.yaml"), "runner: outer://\n");
    expect((await loadProjectConfig({ cwd: join(root, "a/b/c") }))?.runner).toBe("outer://");
    await writeFile(join(root, "a/anyrunner.config.json"), "{}");
    expect(await loadProjectConfig({ cwd: join(root, "a/b/c") })).toMatchObject({ file: join(root, "a/anyrunner.config.json"), runner: undefined });
  });

  test("none is no error", async () => {
    expect(await loadProjectConfig({ cwd: root })).toBeUndefined();
  });

  test("two files in one folder are refused, and so is .yml", async () => {
    await writeFile(join(root, "anyrunner.config.yml"), "");
    await expect(loadProjectConfig({ cwd: root })).rejects.toMatchObject({ code: "INVALID_CONFIG", hint: expect.stringContaining("rename") });
    await writeFile(join(root, "anyrunner.config.yaml"), "");
    await writeFile(join(root, "anyrunner.config.json"), "{}");
    await expect(loadProjectConfig({ cwd: root })).rejects.toMatchObject({ code: "INVALID_CONFIG", hint: "keep one of them" });
  });
});
