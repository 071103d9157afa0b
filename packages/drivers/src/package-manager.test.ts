import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { installCommand } from "./package-manager.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "anyrunner-pm-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

test.each<[string, Record<string, string>, Record<string, string>, string]>([
  ["no project", {}, {}, "npm install --global x"],
  ["a bare project", { "package.json": "{}" }, {}, "npm install --save-dev x"],
  ["npm's lockfile", { "package.json": "{}", "package-lock.json": "{}" }, { npm_config_user_agent: "pnpm/12.0.0 node/v24" }, "npm install --save-dev x"],
  ["pnpm's lockfile", { "package.json": "{}", "pnpm-lock.yaml": "" }, {}, "pnpm add --save-dev x"],
  ["yarn's lockfile", { "package.json": "{}", "yarn.lock": "" }, {}, "yarn add --dev x"],
  ["bun's lockfile", { "package.json": "{}", "bun.lock": "" }, {}, "bun add --dev x"],
  ["packageManager", { "package.json": '{"packageManager":"yarn@4.1.0"}', "package-lock.json": "{}" }, {}, "yarn add --dev x"],
  ["the user agent", { "package.json": "{}" }, { npm_config_user_agent: "pnpm/12.0.0 npm/? node/v24" }, "pnpm add --save-dev x"],
  ["a broken manifest", { "package.json": "{" }, {}, "npm install --save-dev x"],
])("install command with %s", async (_, files, env, command) => {
  await mkdir(join(root, "deep/er"), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  expect(installCommand("x", { cwd: join(root, "deep/er"), env })).toBe(command);
});
