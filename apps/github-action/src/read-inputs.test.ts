import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { readInputs } from "./read-inputs.ts";

let workspace: string;
beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), "anyrunner-inputs-"));
  writeFileSync(join(workspace, "packed.tgz"), "");
});
afterAll(() => rmSync(workspace, { recursive: true }));

const read = (inputs: Readonly<Record<string, string>> = {}) =>
  readInputs({
    version: "1.2.3",
    env: { GITHUB_WORKSPACE: workspace, ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])) },
  });

test("nothing given is everything by default", () => {
  expect(read()).toEqual({ runner: undefined, install: { spec: "@anyrunner/cli@1.2.3" }, drivers: [], start: true, stopEngine: true, workdir: workspace });
});

test("everything given", () => {
  const given = {
    runner: " tcp://h:1 ",
    version: "latest",
    drivers: "kubernetes\n  anyrunner-driver-a@1.0.0, b\n",
    start: "false",
    "engine-stop": "False",
    workdir: "sub",
  };
  expect(read(given)).toEqual({
    runner: "tcp://h:1",
    install: { spec: "@anyrunner/cli@latest" },
    drivers: ["kubernetes", "anyrunner-driver-a@1.0.0", "b"],
    start: false,
    stopEngine: false,
    workdir: join(workspace, "sub"),
  });
  expect(read({ install: "false" }).install).toBeUndefined();
});

test("a packed anyrunner is named by its path", () => {
  expect(read({ version: "packed.tgz" }).install).toEqual({ spec: join(workspace, "packed.tgz") });
  expect(read({ version: join(workspace, "packed.tgz") }).install).toEqual({ spec: join(workspace, "packed.tgz") });
});

test.each([
  ["install", "yes", "USAGE"],
  ["start", "0", "USAGE"],
  ["version", "github:someone/else", "USAGE"],
  ["version", "1.0.0 --registry=http://evil", "USAGE"],
  ["version", "./missing.tgz", "NOT_FOUND"],
])("%s: %s is refused", (name, value, code) => {
  expect(() => read({ [name]: value })).toThrow(expect.objectContaining({ code, hint: expect.any(String) }));
});
