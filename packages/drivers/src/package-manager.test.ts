import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { isPinnedByLockfile } from "./lockfile-pin.ts";
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

const NPM = (entry: object) => JSON.stringify({ lockfileVersion: 3, packages: { "": {}, "node_modules/anyrunner-driver-a.b": entry } });
test.each<[string, string, string, boolean]>([
  ["npm", "package-lock.json", NPM({ version: "1.0.0", resolved: "https://r/x.tgz", integrity: "sha512-x" }), true],
  ["npm, another version", "package-lock.json", NPM({ version: "1.0.1", integrity: "sha512-x" }), false],
  ["npm, a link", "package-lock.json", NPM({ resolved: "drivers/a", link: true }), false],
  ["npm, broken", "package-lock.json", "{", false],
  ["pnpm", "pnpm-lock.yaml", "packages:\n\n  anyrunner-driver-a.b@1.0.0:\n    resolution: {integrity: x}\n", true],
  ["pnpm, with peers", "pnpm-lock.yaml", "snapshots:\n\n  anyrunner-driver-a.b@1.0.0(x@1.0.0):\n", true],
  ["pnpm, a longer version", "pnpm-lock.yaml", "packages:\n\n  anyrunner-driver-a.b@1.0.0-beta:\n", false],
  [
    "pnpm, a link",
    "pnpm-lock.yaml",
    "importers:\n  .:\n    dependencies:\n      anyrunner-driver-a.b:\n        specifier: workspace:*\n        version: link:../a\n",
    false,
  ],
  ["pnpm, a name that only looks alike", "pnpm-lock.yaml", "packages:\n\n  anyrunner-driver-aXb@1.0.0:\n", false],
  ["yarn 1", "yarn.lock", '# yarn lockfile v1\n\n\nanyrunner-driver-a.b@^1.0.0, anyrunner-driver-a.b@~1.0.0:\n  version "1.0.0"\n  resolved "x"\n', true],
  ["yarn 4", "yarn.lock", '"anyrunner-driver-a.b@npm:^1.0.0":\n  version: 1.0.0\n  checksum: x\n', true],
  ["yarn 4, of the repository", "yarn.lock", '"anyrunner-driver-a.b@workspace:drivers/a":\n  version: 1.0.0\n', false],
  ["bun", "bun.lock", '{ "packages": { "anyrunner-driver-a.b": ["anyrunner-driver-a.b@1.0.0", "", {}, "sha512-x"], } }', true],
  ["none", "unrelated", "", false],
])("pin: %s", async (_, file, text, pinned) => {
  await writeFile(join(root, file), text);
  expect(isPinnedByLockfile({ directory: root, name: "anyrunner-driver-a.b", version: "1.0.0" })).toBe(pinned);
});
