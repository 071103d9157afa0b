import { describe, expect, test } from "vitest";

import type { EngineImage } from "./engine-image.ts";
import { ENGINE_LABELS } from "./engine-labels.ts";
import type { EngineContainerPlan } from "./engine-container-plan.ts";
import { planEngineContainer, type EngineFacts } from "./plan-engine-container.ts";

const IMAGE: EngineImage = { reference: "registry.dagger.io/engine:v0.21.8", cleanup: false, env: [], pull: "missing", mounts: [], labels: {} };
const plan = (image: Partial<EngineImage> = {}, facts: Partial<EngineFacts> = {}) => planEngineContainer({ ...IMAGE, ...image }, { env: {}, ...facts });

test("an image and nothing else", () => {
  expect(plan()).toEqual({
    name: "anyrunner-engine-v0.21.8",
    image: "registry.dagger.io/engine:v0.21.8",
    volume: "anyrunner-engine-v0.21.8",
    env: { _EXPERIMENTAL_DAGGER_METRICS_ADDR: "127.0.0.1:9090" },
    ports: [],
    mounts: [{ kind: "volume", source: "anyrunner-engine-v0.21.8", target: "/var/lib/dagger", readOnly: false }],
    args: ["--debug", "--debugaddr", "127.0.0.1:6060"],
    labels: {
      "dev.anyrunner.role": "engine",
      "dev.anyrunner.image": "registry.dagger.io/engine:v0.21.8",
      "dev.anyrunner.volume": "anyrunner-engine-v0.21.8",
      "dev.anyrunner.options": '{"volume":"anyrunner-engine-v0.21.8"}',
      "dev.anyrunner.config": expect.stringMatching(/^[0-9a-f]{32}$/),
    },
    privileged: true,
    restartPolicy: "unless-stopped",
    stopTimeoutSeconds: 600,
    extraHosts: [],
  } satisfies EngineContainerPlan);
});

test.each<[string, Partial<EngineImage>, Partial<EngineFacts>, Partial<EngineContainerPlan>]>([
  ["no tag means latest", { reference: "engine" }, {}, { name: "anyrunner-engine-latest", image: "engine" }],
  ["a digest goes before the tag", { reference: `engine:v1@sha256:${"0123456789abcdef".repeat(4)}` }, {}, { name: "anyrunner-engine-0123456789abcdef" }],
  ["names of the user", { container: "mine", volume: "cache" }, {}, { name: "mine", volume: "cache" }],
  ["a volume is named like its container", { container: "mine" }, {}, { volume: "mine" }],
  ["a GPU engine has a name of its own", { gpus: { kind: "all" } }, {}, { name: "anyrunner-engine-v0.21.8-gpu", gpus: { kind: "all" } }],
  ["once", { reference: "engine:v1-gpu", gpus: { kind: "all" } }, {}, { name: "anyrunner-engine-v1-gpu" }],
  ["GPUs by the environment", {}, { env: { _EXPERIMENTAL_DAGGER_GPU_SUPPORT: "1" } }, { gpus: { kind: "all" }, name: "anyrunner-engine-v0.21.8-gpu" }],
  [
    "a port",
    { port: { address: "127.0.0.1", port: 1234 } },
    {},
    { ports: [{ address: "127.0.0.1", port: 1234 }], args: ["--debug", "--debugaddr", "127.0.0.1:6060", "--addr", "tcp://0.0.0.0:1234"] },
  ],
  ["limits", { cpus: 1.5, memoryBytes: 1024 }, {}, { cpus: 1.5, memoryBytes: 1024 }],
  ["network and platform", { network: "host", platform: "linux/amd64" }, {}, { network: "host", platform: "linux/amd64" }],
  ["what a job owns is not started again", {}, { jobOwned: true }, { restartPolicy: "no" }],
  [
    "the project's version",
    { reference: "engine", version: "auto" },
    { engineVersion: "0.20.1" },
    { image: "engine:v0.20.1", name: "anyrunner-engine-v0.20.1" },
  ],
  [
    "its GPU image",
    { reference: "engine", version: "v0.20.1", gpus: { kind: "all" } },
    {},
    { image: "engine:v0.20.1-gpu", name: "anyrunner-engine-v0.20.1-gpu" },
  ],
  [
    "configuration and certificates, then the user's mounts",
    { mounts: [{ kind: "bind", source: "/a", target: "/b", readOnly: true }] },
    { configPath: "/home/me/.config/dagger/engine.json", ca: { path: "/home/me/ca", kind: "folder" } },
    {
      mounts: [
        { kind: "volume", source: "anyrunner-engine-v0.21.8", target: "/var/lib/dagger", readOnly: false },
        { kind: "bind", source: "/home/me/.config/dagger/engine.json", target: "/etc/dagger/engine.json", readOnly: true },
        { kind: "bind", source: "/home/me/ca", target: "/usr/local/share/ca-certificates", readOnly: true },
        { kind: "bind", source: "/a", target: "/b", readOnly: true },
      ],
    },
  ],
])("%s", (_name, image, facts, expected) => {
  expect(plan(image, facts)).toMatchObject(expected);
});

test("one file of certificates keeps the image's others", () => {
  expect(plan({}, { ca: { path: "/ca.pem", kind: "file" } }).mounts[1]).toMatchObject({ target: "/usr/local/share/ca-certificates/anyrunner-ca.crt" });
});

test.each([
  ["engine:v0.16.3", ["--addr", "unix:///run/buildkit/buildkitd.sock", "--addr", "tcp://0.0.0.0:1234"]],
  ["engine:v0.14.0-gpu", ["--addr", "unix:///run/buildkit/buildkitd.sock", "--addr", "tcp://0.0.0.0:1234"]],
  ["engine:v0.17.0", ["--addr", "tcp://0.0.0.0:1234"]],
  ["engine", ["--addr", "tcp://0.0.0.0:1234"]],
])("%s listens on its port besides its socket", (reference, args) => {
  expect(plan({ reference, port: { address: "127.0.0.1", port: 1234 } }).args.slice(3)).toEqual(args);
});

test("version=auto without a known version is refused with a way out", () => {
  expect(() => plan({ reference: "engine", version: "auto" })).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", hint: "write the version: engine:vX.Y.Z" }),
  );
});

describe("variables", () => {
  test.each<[string, Partial<EngineImage>, EngineFacts["env"], Readonly<Record<string, string>>, readonly string[]]>([
    ["of the URL", { env: ["A=b=c", "E="] }, {}, { A: "b=c", E: "" }, []],
    ["by the caller's value, if there is one", { env: ["HERE", "NOT_HERE"] }, { HERE: "x" }, { HERE: "x" }, []],
    ["the cloud token", {}, { DAGGER_CLOUD_TOKEN: "t" }, { DAGGER_CLOUD_TOKEN: "t" }, []],
    ["GPU support", { gpus: { kind: "count", count: 1 } }, {}, { _EXPERIMENTAL_DAGGER_GPU_SUPPORT: "true" }, []],
    ["a proxy", { proxy: "http://p:3128" }, { NO_PROXY: "x" }, { HTTP_PROXY: "http://p:3128", HTTPS_PROXY: "http://p:3128", NO_PROXY: "x" }, []],
    ["the proxy of the environment", { proxy: "env" }, { https_proxy: "http://p:1" }, { HTTPS_PROXY: "http://p:1" }, []],
    [
      "a proxy on this machine",
      { proxy: "http://127.0.0.1:3128" },
      {},
      { HTTP_PROXY: "http://host.docker.internal:3128", HTTPS_PROXY: "http://host.docker.internal:3128" },
      ["host.docker.internal:host-gateway"],
    ],
    ["no proxy unless asked for", {}, { HTTP_PROXY: "http://p:1" }, {}, []],
  ])("%s", (_name, image, env, expected, extraHosts) => {
    expect(plan(image, { env })).toMatchObject({ env: { _EXPERIMENTAL_DAGGER_METRICS_ADDR: "127.0.0.1:9090", ...expected }, extraHosts });
    expect(Object.keys(plan(image, { env }).env)).toHaveLength(1 + Object.keys(expected).length);
  });

  test("values are in no label and no argument", () => {
    const made = plan({ env: ["TOKEN=pa55word"], proxy: "http://me:pa55word@p:1" }, { env: { DAGGER_CLOUD_TOKEN: "pa55word" } });
    expect(JSON.stringify([made.labels, made.args, made.name, made.mounts])).not.toContain("pa55word");
    expect(JSON.parse(made.labels[ENGINE_LABELS.options] ?? "")).toMatchObject({ env: "TOKEN", proxy: "set" });
  });
});

test("the user's labels stand beside ours; the digest follows the options", () => {
  const labelled = plan({ labels: { team: "a" } });
  expect(labelled.labels).toMatchObject({ team: "a", "dev.anyrunner.role": "engine" });
  const digests = [plan(), plan({ cpus: 1 }), plan({ cpus: 2 }), plan({}, { configDigest: "1" }), plan({ env: ["A=1"] })].map(
    ({ labels }) => labels[ENGINE_LABELS.config],
  );
  expect(new Set(digests).size).toBe(digests.length);
  expect(plan({ env: ["B=1", "A=1"] }).labels[ENGINE_LABELS.config]).toBe(plan({ env: ["A=2", "B=2"] }).labels[ENGINE_LABELS.config]);
});
