import { describe, expect, test } from "vitest";

import { engineConfigPaths } from "./engine-config-paths.ts";
import type { EngineImage } from "./engine-image.ts";
import { idleMsOf, keepOf } from "./engine-labels.ts";
import { adoptableName, cleansUp, enginesBeyond, engineTagOf, isOfRepository, mayAdopt, mayRemove, type ListedContainer } from "./engine-ownership.ts";
import { planEngineContainer } from "./plan-engine-container.ts";

const IMAGE: EngineImage = { reference: "registry.dagger.io/engine:v0.21.8", cleanup: false, env: [], pull: "missing", mounts: [], labels: {} };
const PLAN = planEngineContainer(IMAGE, { env: {} });
const OFFICIAL: ListedContainer = { name: "dagger-engine-v0.21.8", image: IMAGE.reference, labels: {}, running: true };
const OURS: ListedContainer = { name: PLAN.name, image: PLAN.image, labels: PLAN.labels, running: true };

describe("adoption", () => {
  test("the official client's container of the same image, when nothing special is asked for", () => {
    expect(adoptableName(IMAGE, PLAN)).toBe("dagger-engine-v0.21.8");
    expect(mayAdopt(OFFICIAL, PLAN)).toBe(true);
  });

  test.each<[string, Partial<EngineImage>]>([
    ["a name", { container: "x" }],
    ["CPUs", { cpus: 1 }],
    ["GPUs", { gpus: { kind: "all" } }],
    ["a port", { port: { address: "127.0.0.1", port: 1 } }],
  ])("not when %s is asked for", (_name, change) => {
    const image = { ...IMAGE, ...change };
    expect(adoptableName(image, planEngineContainer(image, { env: {} }))).toBeUndefined();
  });

  test("not with GPU support by the environment", () => {
    expect(adoptableName(IMAGE, planEngineContainer(IMAGE, { env: { _EXPERIMENTAL_DAGGER_GPU_SUPPORT: "1" } }))).toBeUndefined();
  });

  test.each<[string, Partial<ListedContainer>]>([
    ["a stopped one", { running: false }],
    ["one of another registry", { image: "mirror.example/engine:v0.21.8" }],
    ["one of another name", { name: "my-engine" }],
  ])("not %s", (_name, change) => {
    expect(mayAdopt({ ...OFFICIAL, ...change }, PLAN)).toBe(false);
  });
});

test.each<[string, ListedContainer, boolean | undefined, boolean, RegExp | undefined]>([
  ["the official client's", OFFICIAL, false, false, /did not make it/],
  ["ours, idle", OURS, false, true, undefined],
  ["ours, stopped", { ...OURS, running: false }, undefined, true, undefined],
  ["ours, live", OURS, true, false, /sessions use it/],
  ["ours, perhaps live", OURS, undefined, false, /can't be known/],
  ["ours, in use now", { ...OURS, name: "kept" }, false, false, /in use/],
])("clean-up removes %s: live %s", (_name, container, live, allowed, reason) => {
  const removal = mayRemove(container, { keep: "kept", live });
  expect(removal.allowed).toBe(allowed);
  if (!removal.allowed) expect(removal.reason).toMatch(reason ?? /^$/);
});

test.each<[string, Partial<ListedContainer>, ReturnType<typeof engineTagOf>]>([
  ["ours", { ...OURS, image: "sha256:1" }, { version: "v0.21.8", gpu: false }],
  ["the official client's", OFFICIAL, { version: "v0.21.8", gpu: false }],
  ["the official client's by its name", { ...OFFICIAL, image: "sha256:1" }, { version: "v0.21.8", gpu: false }],
  ["the official image under any name", { ...OFFICIAL, name: "x" }, { version: "v0.21.8", gpu: false }],
  ["with GPUs", { ...OFFICIAL, image: "registry.dagger.io/engine:v0.21.8-gpu" }, { version: "v0.21.8", gpu: true }],
  ["a pre-release", { ...OFFICIAL, image: "registry.dagger.io/engine:v1.0.0-beta.3" }, { version: "v1.0.0-beta.3", gpu: false }],
  ["by digest", { ...OFFICIAL, name: "dagger-engine-0123456789abcdef", image: `registry.dagger.io/engine@sha256:${"0".repeat(64)}` }, undefined],
  ["something else with a version", { name: "web", image: "nginx:v1.2.3" }, undefined],
])("engineTagOf: %s", (_name, container, tag) => {
  expect(engineTagOf({ ...OFFICIAL, ...container })).toEqual(tag);
});

test.each<[NodeJS.Platform, Readonly<Record<string, string>>, string]>([
  ["linux", { HOME: "/home/me" }, "/home/me/.config/dagger/engine.json"],
  ["linux", { HOME: "/home/me", XDG_CONFIG_HOME: "/cfg" }, "/cfg/dagger/engine.json"],
  ["linux", { HOME: "/home/me", XDG_CONFIG_HOME: "relative" }, "/home/me/.config/dagger/engine.json"],
  ["darwin", { HOME: "/Users/me" }, "/Users/me/Library/Application Support/dagger/engine.json"],
])("engine.json on %s with %j", (platform, env, path) => {
  expect(engineConfigPaths({ env, platform }).engineJson).toBe(path);
});

describe("what is kept", () => {
  test("the engines of one repository that were used last", () => {
    const engines = [
      { name: "a", usedAt: 1 },
      { name: "b", usedAt: 3 },
      { name: "c", usedAt: 2 },
    ];
    expect(enginesBeyond(engines, 1).map(({ name }) => name)).toEqual(["a", "c"]);
    expect(enginesBeyond(engines, 3)).toEqual([]);
  });

  test("counts our own engines of every version, and no others", () => {
    const another = "registry.dagger.io/engine:v0.20.0";
    expect(isOfRepository(OURS, another)).toBe(true);
    expect(isOfRepository(OFFICIAL, another)).toBe(false);
    expect(isOfRepository(OURS, "example.com/engine:v0.20.0")).toBe(false);
  });

  test("is in the labels of an engine", () => {
    const { labels } = planEngineContainer({ ...IMAGE, idleMs: 60_000, keep: 2 }, { env: {} });
    expect([idleMsOf(labels), keepOf(labels)]).toEqual([60_000, 2]);
    expect([idleMsOf(PLAN.labels), keepOf(PLAN.labels)]).toEqual([undefined, undefined]);
  });
});

test.each([
  [false, undefined, false],
  [true, undefined, true],
  [true, "", true],
  [true, "false", true],
  [true, "1", false],
  [true, "T", false],
  [true, "true", false],
])("cleanup=%s with DAGGER_LEAVE_OLD_ENGINE=%s: %s", (cleanup, variable, wanted) => {
  expect(cleansUp({ cleanup }, { DAGGER_LEAVE_OLD_ENGINE: variable })).toBe(wanted);
});
