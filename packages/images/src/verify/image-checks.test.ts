import { expect, test } from "vitest";

import { authorityPaths } from "./authority-paths.ts";
import { gpuChecks } from "./gpu-checks.ts";
import { imageChecks, type ImageFacts } from "./image-checks.ts";
import { parseSeen, type SeenInImage } from "./seen-in-image.ts";

const SEEN: SeenInImage = {
  programs: { "dagger-engine": "/usr/local/bin/dagger-engine", buildctl: "/usr/bin/buildctl", runc: "/runc", iptables: "/iptables", git: "/git" },
  versions: { "dagger-engine": "dagger-engine v0.21.8" },
  certificates: [{ file: "/ca/a.crt", count: 1 }],
  paths: [],
};
const ENGINE: ImageFacts = {
  platform: "linux/amd64",
  entrypoint: ["dagger-entrypoint.sh"],
  user: "",
  env: {},
  gpu: false,
  expected: undefined,
  seen: SEEN,
  blind: "",
  engineJson: '{"registries":{"docker.io":{}}}',
  lost: [],
};
const notable = (facts: Partial<ImageFacts>) =>
  imageChecks({ ...ENGINE, ...facts })
    .filter(({ status }) => status !== "ok")
    .map(({ id, status, remedy }) => [id, status, remedy === undefined ? "no remedy" : "remedy"]);
const seen = (part: Partial<SeenInImage>): Partial<ImageFacts> => ({ seen: { ...SEEN, ...part } });

test("an engine's image has nothing to be said of", () => {
  expect(notable({})).toEqual([]);
});

const EXPECTED = { name: "engine:v1", entrypoint: ["dagger-entrypoint.sh"], env: { DAGGER_GO_SDK_MANIFEST_DIGEST: "sha256:1", PATH: "/bin" } };

test.each<[string, Partial<ImageFacts>, string, string]>([
  ["another platform", { platform: "windows/amd64" }, "image.platform", "failed"],
  ["GPUs on arm64", { platform: "linux/arm64", gpu: true, env: { _EXPERIMENTAL_DAGGER_GPU_SUPPORT: "1" } }, "image.platform", "warning"],
  ["no entrypoint", { entrypoint: [] }, "image.entrypoint", "failed"],
  ["an entrypoint of one's own", { entrypoint: ["/start"] }, "image.entrypoint", "warning"],
  ["another entrypoint than the engine's", { entrypoint: ["/start"], expected: { ...EXPECTED, env: {} } }, "image.entrypoint", "failed"],
  ["another user", { user: "nobody" }, "image.user", "failed"],
  ["devices for everybody", { env: { NVIDIA_VISIBLE_DEVICES: "all" } }, "image.environment", "failed"],
  ["GPUs that are switched off", { gpu: true }, "image.environment", "failed"],
  ["variables that were lost", { expected: EXPECTED }, "image.environment", "failed"],
  ["a broken configuration", { engineJson: "{" }, "image.config", "failed"],
  ["a registry's authority that isn't there", { lost: ["/ca.pem"] }, "image.config", "failed"],
  ["no shell", { seen: undefined, blind: "sh: not found" }, "image.shell", "failed"],
  ["no engine", seen({ programs: { ...SEEN.programs, "dagger-engine": undefined as never } }), "image.engine", "failed"],
  ["an engine that doesn't run", seen({ versions: { "dagger-engine": "exec format error" } }), "image.engine", "failed"],
  ["no git", seen({ programs: { ...SEEN.programs, git: undefined as never } }), "image.programs", "failed"],
  ["no buildctl", seen({ programs: { ...SEEN.programs, buildctl: undefined as never } }), "image.dial", "failed"],
  ["a bundle of certificates", seen({ certificates: [{ file: "/ca/a.crt", count: 2 }] }), "image.certificates", "failed"],
  ["a certificate by another name", seen({ certificates: [{ file: "/ca/a.pem", count: 1 }] }), "image.certificates", "warning"],
])("%s", (_what, facts, id, status) => {
  expect(notable(facts)).toEqual([[id, status, "remedy"]]);
});

const GPU: SeenInImage = {
  ...SEEN,
  programs: { ...SEEN.programs, "nvidia-container-cli": "/usr/bin/nvidia-container-cli" },
  versions: { ...SEEN.versions, "nvidia-container-cli": "cli-version: 1.20.0" },
  paths: ["/usr/bin/nvidia-container-runtime-hook", "/sbin/ldconfig.real"],
};
const gpuNotable = (part: Partial<SeenInImage>, toolkitConfig?: string) =>
  gpuChecks({ ...ENGINE, gpu: true, seen: { ...GPU, ...part }, toolkitConfig })
    .filter(({ status }) => status !== "ok")
    .map(({ id, status }) => `${id} ${status}`);

test.each<[string, Partial<SeenInImage>, string | undefined, readonly string[]]>([
  ["all that GPUs need", {}, undefined, []],
  ["the toolkit in legacy mode", {}, '[nvidia-container-runtime]\nmode = "legacy"\n', []],
  ["the toolkit in CDI mode", {}, '[nvidia-container-runtime]\nmode = "cdi"\n', ["gpu.mode failed"]],
  ["no toolkit", { paths: [], programs: {} }, undefined, ["gpu.hook failed", "gpu.container-cli failed", "gpu.ldconfig failed"]],
  [
    "a program without its libraries",
    { versions: { "nvidia-container-cli": "error while loading shared libraries" } },
    undefined,
    ["gpu.container-cli failed"],
  ],
  ["a driver of its own", { paths: [...GPU.paths, "/usr/lib/libnvidia-ml.so.1"] }, undefined, ["gpu.driver warning"]],
])("GPUs: %s", (_what, part, toolkitConfig, expected) => {
  expect(gpuNotable(part, toolkitConfig)).toEqual(expected);
});

test.each([
  [undefined, []],
  ["{", []],
  ["[]", []],
  ['{"registries":{"a":{"ca":["/a.pem",1]},"b":{},"c":{"ca":"/c.pem"}}}', ["/a.pem", "/c.pem"]],
])("authorities of registries in %s", (text, paths) => {
  expect(authorityPaths(text)).toEqual(paths);
});

test("a script that didn't come to its end has seen nothing", () => {
  expect(parseSeen("program\tgit\t/usr/bin/git\n")).toBeUndefined();
  expect(parseSeen("program\tgit\t/usr/bin/git\nend\t\t\n")).toEqual({ programs: { git: "/usr/bin/git" }, versions: {}, certificates: [], paths: [] });
});
