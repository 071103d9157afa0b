import type { EngineContainerPlan } from "@anyrunner/engine-container";
import { describe, expect, test } from "vitest";

import type { RuntimeName } from "./runtime.ts";
import { RUNTIMES } from "./runtimes.ts";

const DOCKER_LIKE = ["podman", "nerdctl", "finch"] as const;
const LABEL = { name: "dev.anyrunner.role", value: "engine" };

const PLAN: EngineContainerPlan = {
  name: "anyrunner-engine-v0.21.8",
  image: "registry.dagger.io/engine:v0.21.8",
  volume: "anyrunner-engine-v0.21.8",
  env: {},
  ports: [],
  mounts: [{ kind: "volume", source: "anyrunner-engine-v0.21.8", target: "/var/lib/dagger", readOnly: false }],
  args: ["--debug", "--debugaddr", "127.0.0.1:6060"],
  labels: { "dev.anyrunner.role": "engine" },
  privileged: true,
  restartPolicy: "unless-stopped",
  stopTimeoutSeconds: 600,
  extraHosts: [],
};

/** With everything that a URL can ask for, but for what Apple's refuses. */
const LARGE_PLAN: EngineContainerPlan = {
  ...PLAN,
  env: { TOKEN: "s3cret", PATH: "/bin", HTTPS_PROXY: "http://host.docker.internal:3128" },
  mounts: [...PLAN.mounts, { kind: "bind", source: "/home/me/engine.json", target: "/etc/dagger/engine.json", readOnly: true }],
  cpus: 2,
  memoryBytes: 4 * 1024 ** 3,
  network: "build",
  platform: "linux/amd64",
};

const START = [
  "run",
  "--detach",
  "--name",
  "anyrunner-engine-v0.21.8",
  "--pull",
  "never",
  "--restart",
  "unless-stopped",
  "--stop-timeout",
  "600",
  "--privileged",
];
const STATE = ["-v", "anyrunner-engine-v0.21.8:/var/lib/dagger"];
const CONFIG = ["-v", "/home/me/engine.json:/etc/dagger/engine.json:ro"];
const ENV = ["-e", "TOKEN", "-e", "PATH=/bin", "-e", "HTTPS_PROXY"];
const OWNER = ["--label", "dev.anyrunner.role=engine"];
const ENGINE = ["registry.dagger.io/engine:v0.21.8", "--debug", "--debugaddr", "127.0.0.1:6060"];

describe.each(DOCKER_LIKE)("arguments of %s", (name) => {
  const { grammar } = RUNTIMES[name];

  test.each<[string, readonly string[], readonly string[]]>([
    ["exec", grammar.exec("c0ffee", ["buildctl", "dial-stdio"]), ["exec", "-i", "c0ffee", "buildctl", "dial-stdio"]],
    ["list", grammar.list(), ["ps", "--all", "--format", "{{.Names}}"]],
    ["list by label", grammar.list(LABEL), ["ps", "--all", "--filter", "label=dev.anyrunner.role=engine", "--format", "{{.Names}}"]],
    ["list those with a volume", grammar.listVolumeUsers?.("v") ?? [], ["ps", "--filter", "volume=v", "--format", "{{.Names}}"]],
    ["inspect", grammar.inspect(["a", "b"]), ["container", "inspect", "a", "b"]],
    ["logs", grammar.logs("a", { tail: 7, follow: false }), ["logs", "--tail", "7", "a"]],
    ["logs that go on", grammar.logs("a", { tail: 7, follow: true }), ["logs", "--tail", "7", "--follow", "a"]],
    ["start", grammar.start("a"), ["start", "a"]],
    ["stop", grammar.stop("a", { seconds: 600 }), ["stop", "--time", "600", "a"]],
    ["remove", grammar.remove("a"), ["rm", "--force", "--volumes", "a"]],
    ["look for an image", grammar.inspectImage("i:1"), ["image", "inspect", "i:1"]],
    ["pull", grammar.pull("i:1", {}), ["pull", "i:1"]],
    ["pull for a platform", grammar.pull("i:1", { platform: "linux/arm64" }), ["pull", "--platform", "linux/arm64", "i:1"]],
    ["create a volume", grammar.createVolume("v", { a: "b" }), ["volume", "create", "--label", "a=b", "v"]],
    ["look at a volume", grammar.inspectVolume("v"), ["volume", "inspect", "v"]],
    ["remove a volume", grammar.removeVolume("v"), ["volume", "rm", "v"]],
    ["run", grammar.run(PLAN).args, [...START, ...STATE, ...OWNER, ...ENGINE]],
    [
      "run with everything",
      grammar.run(LARGE_PLAN).args,
      [
        ...START,
        ...STATE,
        ...CONFIG,
        ...ENV,
        ...OWNER,
        ...["--cpus", "2", "--memory", "4294967296", "--network", "build", "--platform", "linux/amd64"],
        ...ENGINE,
      ],
    ],
  ])("%s", (_verb, args, expected) => {
    expect(args).toEqual(expected);
  });

  test("a port is published where it was asked for", () => {
    const { args } = grammar.run({
      ...PLAN,
      ports: [
        { address: "127.0.0.1", port: 1234 },
        { address: "::1", port: 5 },
      ],
    });
    expect(args.slice(args.indexOf("-p"))).toEqual(["-p", "127.0.0.1:1234:1234", "-p", "[::1]:5:5", ...OWNER, ...ENGINE]);
  });

  test("names in a list", () => {
    expect(grammar.parseList("one\ntwo,alias\n\n")).toEqual(["one", "two"]);
  });
});

describe("arguments of Apple container", () => {
  const { grammar } = RUNTIMES.apple;
  const MACHINE = ["run", "--name", "anyrunner-engine-v0.21.8", "--detach"];

  test.each<[string, readonly string[], readonly string[]]>([
    ["exec", grammar.exec("a", ["buildctl", "dial-stdio"]), ["exec", "-i", "a", "buildctl", "dial-stdio"]],
    ["list", grammar.list(LABEL), ["ls", "--all", "--format", "json"]],
    ["inspect", grammar.inspect(["a", "b"]), ["inspect", "a", "b"]],
    ["logs", grammar.logs("a", { tail: 7, follow: false }), ["logs", "-n", "7", "a"]],
    ["logs that go on", grammar.logs("a", { tail: 7, follow: true }), ["logs", "-n", "7", "--follow", "a"]],
    ["start", grammar.start("a"), ["start", "a"]],
    ["stop", grammar.stop("a", { seconds: 600 }), ["stop", "--time", "600", "a"]],
    ["remove", grammar.remove("a"), ["rm", "--force", "a"]],
    ["look for an image", grammar.inspectImage("i:1"), ["image", "inspect", "i:1"]],
    ["pull", grammar.pull("i:1", { platform: "linux/arm64" }), ["image", "pull", "--platform", "linux/arm64", "i:1"]],
    ["create a volume", grammar.createVolume("v", { a: "b" }), ["volume", "create", "--label", "a=b", "v"]],
    ["look at a volume", grammar.inspectVolume("v"), ["volume", "inspect", "v"]],
    ["remove a volume", grammar.removeVolume("v"), ["volume", "rm", "v"]],
    [
      "run, with the official client's defaults",
      grammar.run(PLAN).args,
      [...MACHINE, ...STATE, "--cap-add", "ALL", "--cpus", "4", "--memory", "8G", ...OWNER, ...ENGINE],
    ],
    [
      "run with everything",
      grammar.run(LARGE_PLAN).args,
      [
        ...MACHINE,
        ...STATE,
        ...CONFIG,
        ...ENV,
        ...["--cap-add", "ALL", "--cpus", "2", "--memory", "4096M"],
        ...OWNER,
        ...["--network", "build", "--platform", "linux/amd64"],
        ...ENGINE,
      ],
    ],
  ])("%s", (_verb, args, expected) => {
    expect(args).toEqual(expected);
  });

  test.each<[string, Partial<EngineContainerPlan>]>([
    ["port", { ports: [{ address: "127.0.0.1", port: 1234 }] }],
    ["gpus", { gpus: { kind: "all" } }],
    ["cpus", { cpus: 1.5 }],
    ["proxy", { extraHosts: ["host.docker.internal:host-gateway"] }],
  ])("%s is refused, by name", (parameter, change) => {
    expect(() => grammar.run({ ...PLAN, ...change })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED", details: { parameter }, hint: expect.stringContaining(parameter) }),
    );
  });

  test.each([
    [
      "since 1.0",
      { id: "a", configuration: configuration("a"), status: { state: "running", networks: [], startedDate: "2026-01-02T03:04:05Z" } },
      "2026-01-02T03:04:05Z",
    ],
    ["before", { configuration: configuration("a"), status: "running", networks: [], startedDate: 788_000_000.5 }, undefined],
  ])("the list %s", (_version, listed, startedAt) => {
    const stdout = JSON.stringify([listed, { ...listed, configuration: { ...configuration("b"), labels: {} } }]);
    expect(grammar.parseInspect(stdout)[0]).toEqual({
      id: "a",
      name: "a",
      image: "registry.dagger.io/engine:v0.21.8",
      labels: { "dev.anyrunner.role": "engine" },
      state: "running",
      startedAt,
      args: ["--debug"],
      env: { A: "b=c" },
    });
    expect(grammar.parseList(stdout)).toEqual(["a", "b"]);
    expect(grammar.parseList(stdout, LABEL)).toEqual(["a"]);
  });

  test.each([{ configuration: { name: "v", labels: { a: "b" } } }, { name: "v", labels: { a: "b" } }])("labels of a volume: %j", (volume) => {
    expect(grammar.parseVolumeLabels(JSON.stringify([volume]))).toEqual({ a: "b" });
  });
});

test.each<[RuntimeName, readonly string[], readonly string[], readonly string[]]>([
  [
    "podman",
    ["--device", "nvidia.com/gpu=all"],
    ["--device", "nvidia.com/gpu=0", "--device", "nvidia.com/gpu=1"],
    ["--device", "nvidia.com/gpu=GPU-1", "--device", "nvidia.com/gpu=3"],
  ],
  ["nerdctl", ["--gpus", "all"], ["--gpus", "2"], ["--gpus", '"device=GPU-1,3"']],
  ["finch", ["--gpus", "all"], ["--gpus", "2"], ["--gpus", '"device=GPU-1,3"']],
])("GPUs of %s", (name, all, count, devices) => {
  const added = (gpus: NonNullable<EngineContainerPlan["gpus"]>) => {
    const plain = RUNTIMES[name].grammar.run(PLAN).args;
    return RUNTIMES[name].grammar.run({ ...PLAN, gpus }).args.slice(plain.length - ENGINE.length, -ENGINE.length);
  };
  expect([added({ kind: "all" }), added({ kind: "count", count: 2 }), added({ kind: "devices", devices: ["GPU-1", "3"] })]).toEqual([all, count, devices]);
});

test.each<[RuntimeName, string, readonly string[]]>([
  ["podman", "http://host.containers.internal:3128", []],
  ["nerdctl", "http://host.docker.internal:3128", ["--add-host", "host.docker.internal:host-gateway"]],
  ["finch", "http://host.docker.internal:3128", ["--add-host", "host.docker.internal:host-gateway"]],
])("a proxy on this machine, seen from a container of %s", (name, proxy, hosts) => {
  const { args, env } = RUNTIMES[name].grammar.run({ ...LARGE_PLAN, extraHosts: ["host.docker.internal:host-gateway"] });
  expect(env["HTTPS_PROXY"]).toBe(proxy);
  expect(args.slice(-ENGINE.length - hosts.length, -ENGINE.length)).toEqual(hosts);
});

test.each(Object.values(RUNTIMES).map((runtime) => [runtime.name, runtime] as const))(
  "secret values of %s are in the environment only",
  (_name, { grammar }) => {
    const { args, env } = grammar.run(LARGE_PLAN);
    expect(args.join(" ")).not.toContain("s3cret");
    expect(env).toEqual({ TOKEN: "s3cret", HTTPS_PROXY: LARGE_PLAN.env["HTTPS_PROXY"] });
  },
);

function configuration(id: string): object {
  return {
    id,
    image: { reference: "registry.dagger.io/engine:v0.21.8" },
    labels: { "dev.anyrunner.role": "engine" },
    initProcess: { arguments: ["--debug"], environment: ["A=b=c"] },
  };
}
