import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { run } from "./run.ts";
import { tagAction } from "./tag-action.ts";

let root: string;
let clone: string;
let remote: string;
let built: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "anyrunner-tag-"));
  [clone, remote, built] = ["clone", "remote", "action"].map((name) => path.join(root, name)) as [string, string, string];
  run("git", ["init", "-q", "--bare", remote]);
  run("git", ["init", "-q", clone]);
  git("config", "user.name", "anyrunner");
  git("config", "user.email", "test@anyrunner.invalid");
  writeFileSync(path.join(clone, "source.ts"), "");
  git("add", "-A");
  git("commit", "-qm", "Sources");
  mkdirSync(path.join(built, "dist"), { recursive: true });
  for (const file of ["action.yml", "README.md", "package.json", "dist/index.js", "dist/third-party-licenses.txt"]) writeFileSync(path.join(built, file), file);
});
afterEach(() => rmSync(root, { recursive: true, maxRetries: 10 }));

const git = (...args: readonly string[]) => run("git", args, { cwd: clone }).trim();
const tag = (version: string) => tagAction({ clone, action: built, version, remote });

test("the tags have the built action alone, and the branch and its files stay", () => {
  expect(tag("1.2.3")).toEqual(["v1.2.3", "v1"]);
  expect(git("ls-tree", "-r", "--name-only", "v1").split("\n")).toEqual([
    "LICENSE",
    "apps/github-action/README.md",
    "apps/github-action/action.yml",
    "apps/github-action/dist/index.js",
    "apps/github-action/dist/third-party-licenses.txt",
    "apps/github-action/package.json",
  ]);
  expect([git("status", "--porcelain"), git("log", "--format=%s", "HEAD"), existsSync(path.join(clone, "source.ts"))]).toEqual(["", "Sources", true]);
  expect(git("rev-parse", "v1.2.3^")).toBe(git("rev-parse", "HEAD"));
});

test("the next version moves the short tag; one that is there stays as it is", () => {
  tag("1.2.3");
  writeFileSync(path.join(built, "dist/index.js"), "changed");
  expect(tag("1.2.3")).toEqual([]);
  expect(tag("1.3.0")).toEqual(["v1.3.0", "v1"]);
  const there = (name: string) => run("git", ["show", `${name}:apps/github-action/dist/index.js`], { cwd: remote });
  expect([there("v1.2.3"), there("v1.3.0"), there("v1")]).toEqual(["dist/index.js", "changed", "changed"]);
});
