import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { DEFAULT_ENGINE_VERSION } from "@anyrunner/config";
import { expect, onTestFinished, test } from "vitest";

import { pinVersion } from "./pin-version.ts";

async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-test-pin-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, ".git"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}
const URL = "docker-image://engine?version=auto&keep=2";

test.each([
  ["the version of the project", { "dagger.json": '{ "engineVersion": "v0.19.11" }' }, "docker-image://engine?version=v0.19.11&keep=2"],
  ["that of this release where nothing says one", {}, `docker-image://engine?version=${DEFAULT_ENGINE_VERSION}&keep=2`],
])("version=auto is %s", async (_, files, pinned) => {
  expect(await pinVersion({ cwd: await project(files), env: { PATH: "" } }, URL)).toBe(pinned);
});

test.each(["docker-image://engine:v1", "docker-image://engine?version=0.20.1", "docker-image://engine?label=version=auto"])("%s stays", async (url) => {
  expect(await pinVersion({ cwd: await project({ "dagger.json": '{ "engineVersion": "v0.19.11" }' }), env: { PATH: "" } }, url)).toBe(url);
});
