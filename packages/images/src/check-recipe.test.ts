import { expect, test } from "vitest";

import { checkRecipe } from "./check-recipe.ts";
import type { ImageRecipe } from "./recipe.ts";

const NOW = Date.parse("2030-01-01");

test.each<[ImageRecipe, string, string]>([
  [{ engine: "0.21.8" }, "overlay", "registry.dagger.io/engine:v0.21.8"],
  [{ engine: "v0.21.8", gpu: true }, "overlay", "registry.dagger.io/engine:v0.21.8-gpu"],
  [{ engine: "1.0.0-beta.10", gpu: true }, "overlay", "registry.dagger.io/engine:v1.0.0-beta.10-gpu"],
  [{ engine: "0.21.8", gpu: true, strategy: "packages" }, "packages", "registry.dagger.io/engine:v0.21.8"],
  [{ engine: "0.21.8", gpu: true, baseImage: "ubuntu:24.04" }, "rebase", "registry.dagger.io/engine:v0.21.8"],
  [{ engine: "0.21.8", packages: [{ name: "git-lfs", files: ["/usr/bin/git-lfs"] }] }, "packages", "registry.dagger.io/engine:v0.21.8"],
  [{ engine: "localhost:5000/engine:own", gpu: true }, "overlay", "localhost:5000/engine:own"],
  [{ engine: "127.0.0.1:5000/engine:own" }, "overlay", "127.0.0.1:5000/engine:own"],
])("%o", (recipe, strategy, engine) => {
  expect(checkRecipe(recipe, NOW)).toMatchObject({ strategy, engine });
});

const ENGINE = { engine: "0.21.8" };
const PACKAGE = { name: "git-lfs", files: ["/usr/bin/git-lfs"] };

test.each<[string, ImageRecipe, string, string]>([
  ["an image without a tag", { engine: "example.com/engine" }, "INVALID_OPTION", "neither a tag nor a digest"],
  ["no name of an image", { engine: "Engine" }, "INVALID_URL", "Engine"],
  ["packages in the engine's image", { ...ENGINE, strategy: "overlay", packages: [PACKAGE] }, "UNSUPPORTED", "no package database"],
  ["no packages", { ...ENGINE, strategy: "packages" }, "INVALID_OPTION", "has no packages"],
  ["packages without files", { ...ENGINE, packages: [{ name: "git-lfs" }] }, "INVALID_OPTION", "which files of the package git-lfs"],
  ["a package that is a command", { ...ENGINE, packages: [{ ...PACKAGE, name: "a;reboot" }] }, "INVALID_OPTION", "no name of a package"],
  ["a file that is a command", { ...ENGINE, packages: [{ ...PACKAGE, files: ["/a;reboot"] }] }, "INVALID_OPTION", "can't be taken"],
  ["a base for an overlay", { ...ENGINE, strategy: "overlay", baseImage: "ubuntu:24.04" }, "INVALID_OPTION", "takes no base image"],
  ["a rebase on nothing", { ...ENGINE, strategy: "rebase" }, "INVALID_OPTION", "needs a base image"],
  ["packages that nothing installs", { ...ENGINE, baseImage: "a:1", installer: "none", packages: [{ name: "x" }] }, "INVALID_OPTION", "without an installer"],
  ["a toolkit for an overlay", { ...ENGINE, toolkitVersion: "1.19.1-1" }, "INVALID_OPTION", "for the strategy rebase"],
  ["a toolkit that is a command", { ...ENGINE, baseImage: "a:1", toolkitVersion: "1;reboot" }, "INVALID_OPTION", "no version"],
  ["GPUs on arm64", { ...ENGINE, gpu: true, platform: "linux/arm64" }, "UNSUPPORTED", "linux/arm64"],
  ["GPUs before there were any", { engine: "0.9.1", gpu: true }, "UNSUPPORTED", "v0.9.1"],
  ["Windows", { ...ENGINE, platform: "windows/amd64" }, "UNSUPPORTED", "windows/amd64"],
  ["GPUs for everybody", { ...ENGINE, env: { NVIDIA_VISIBLE_DEVICES: "all" } }, "INVALID_OPTION", "unasked"],
  ["a secret", { ...ENGINE, env: { DAGGER_CLOUD_TOKEN: "s3cret" } }, "INVALID_OPTION", "looks like a secret"],
  ["a variable of two lines", { ...ENGINE, env: { A: "1\nRUN reboot" } }, "INVALID_OPTION", "more than one line"],
  ["no name of a variable", { ...ENGINE, env: { "A B": "1" } }, "INVALID_OPTION", "A B"],
  ["a label of ours", { ...ENGINE, labels: { "dev.anyrunner.role": "engine" } }, "INVALID_OPTION", "are ours"],
  [
    "a file in the configuration's place",
    { ...ENGINE, files: [{ target: "/etc/dagger/engine.json", contents: Buffer.of() }] },
    "INVALID_OPTION",
    "engine.json",
  ],
  ["a file nowhere", { ...ENGINE, files: [{ target: "/usr/../x", contents: Buffer.of() }] }, "INVALID_OPTION", "no place for a file"],
])("%s: refused with what to do", (_what, recipe, code, words) => {
  let error: unknown;
  try {
    checkRecipe(recipe, NOW);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code, message: expect.stringContaining(words), hint: expect.any(String) });
  expect(JSON.stringify(error)).not.toContain("s3cret");
});

test("a rebase serves GPUs on arm64", () => {
  expect(checkRecipe({ ...ENGINE, gpu: true, platform: "linux/arm64", baseImage: "ubuntu:24.04" }, NOW)).toMatchObject({ gpu: true, platform: "linux/arm64" });
});
