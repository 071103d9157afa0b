import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";
import { parse } from "yaml";

const FOLDER = join(import.meta.dirname, "..");
const REPOSITORY = join(FOLDER, "../..");
const read = (file: string) => readFileSync(file, "utf8");

interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string }>>;
  readonly runs: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly uses?: string; readonly with?: Readonly<Record<string, string>> }[] }>>;
}

const { inputs, outputs, runs } = parse(read(join(FOLDER, "action.yml"))) as Action;
const manifest = JSON.parse(read(join(FOLDER, "package.json"))) as { readonly main: string };

test("both halves are the built file, on Node 24", () => {
  expect(runs).toEqual({ using: "node24", main: "dist/index.js", post: "dist/index.js" });
  expect(manifest.main).toBe("./dist/index.js");
});

test("declares the inputs that are read, and the outputs that are set", () => {
  const source = globSync("*.ts", { cwd: import.meta.dirname, exclude: ["*.test.ts"] })
    .map((file) => read(join(import.meta.dirname, file)))
    .join("\n");
  const words = (pattern: RegExp) => [...new Set([...source.matchAll(pattern)].map(([, name = ""]) => name))].toSorted();
  expect(Object.keys(inputs).toSorted()).toEqual(words(/\btext\("([\w-]+)"\)/g));
  expect(Object.keys(outputs).toSorted()).toEqual(words(/setOutput\("([\w-]+)"/g));
});

test("the guide explains each input and output, and examples use no other", () => {
  const guide = read(join(REPOSITORY, "docs/guide/ci.md"));
  const unexplained = [...Object.keys(inputs), ...Object.keys(outputs)].filter((name) => !guide.includes(`\`${name}\``));
  expect(unexplained).toEqual([]);
  const { jobs } = parse(read(join(REPOSITORY, "examples/ci/github-workflow.yml"))) as Workflow;
  const used = Object.values(jobs).flatMap(({ steps }) => steps.filter(({ uses }) => uses?.startsWith("anyrunner/anyrunner/apps/github-action@")));
  expect(used).toHaveLength(1);
  expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(used[0]?.with ?? {})));
});
