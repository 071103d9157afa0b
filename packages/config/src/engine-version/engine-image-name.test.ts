import { expect, test } from "vitest";

import { checkImageTemplate, engineImageName, wantsGpu } from "./engine-image-name.ts";

test.each([
  [{ version: "0.21.8" }, "registry.dagger.io/engine:v0.21.8"],
  [{ version: "v0.21.8", gpu: true }, "registry.dagger.io/engine:v0.21.8-gpu"],
  [{ version: "v1.0.0-beta.10+abc" }, "registry.dagger.io/engine:v1.0.0-beta.10"],
  [{ version: "v0.21.8", template: "registry.corp:5000/dagger/engine:{version}" }, "registry.corp:5000/dagger/engine:v0.21.8"],
  [{ version: "v0.21.8", gpu: true, template: "corp/engine:{version}-x" }, "corp/engine:v0.21.8-gpu-x"],
  [{ version: "v0.21.8", gpu: true, template: "corp/engine:fixed" }, "corp/engine:fixed"],
])("%j is %s", (options, name) => {
  expect(engineImageName(options)).toBe(name);
});

test.each([
  ["corp/engine:{tag}", "only {version} is known"],
  ["docker-image://corp/engine:{version}", "a URL"],
  ["corp/engine {version}", "no name of an image"],
  ["corp/engine", "neither {version} nor a tag nor a digest"],
])("%s can't be a template", (template, problem) => {
  expect(() => checkImageTemplate(template, "f:3")).toThrow(expect.objectContaining({ code: "INVALID_CONFIG", message: expect.stringContaining(problem) }));
});

test.each([["corp/engine:{version}"], ["corp/{version}/engine:x"], [`corp/engine@sha256:${"0".repeat(64)}`]])("%s can", (template) => {
  expect(checkImageTemplate(template, "f")).toBe(template);
});

test("GPU images are asked for as with the official client", () => {
  expect([wantsGpu({}), wantsGpu({ _EXPERIMENTAL_DAGGER_GPU_SUPPORT: "" }), wantsGpu({ _EXPERIMENTAL_DAGGER_GPU_SUPPORT: "1" })]).toEqual([false, false, true]);
});
