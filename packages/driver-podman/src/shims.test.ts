import { parseRunnerUrl, urlSecrets } from "@anyrunner/core/driver";
import { describe, expect, test } from "vitest";

import { createContainerCliDriver } from "./driver.ts";
import type { RuntimeName } from "./runtime.ts";
import { createShim, type Shim, type ShimAnswer } from "./test-shim.ts";

const ENGINE_LABELS = { "dev.anyrunner.role": "engine", "dev.anyrunner.image": "example.com/engine:v1", "dev.anyrunner.volume": "anyrunner-engine-v1" };
const DOCKER_CONTAINER = {
  Id: "c0ffee",
  Name: "anyrunner-engine-v1",
  Image: "example.com/engine:v1",
  Config: { Labels: ENGINE_LABELS },
  State: { Status: "running", StartedAt: "2026-01-02T03:04:05Z" },
};
const APPLE_CONTAINER = {
  id: "anyrunner-engine-v1",
  configuration: { id: "anyrunner-engine-v1", image: { reference: "example.com/engine:v1" }, labels: ENGINE_LABELS },
  status: { state: "running", startedDate: "2026-01-02T03:04:05Z" },
};
const NEW_ENGINE: Readonly<Record<"nerdctl" | "finch" | "apple", readonly ShimAnswer[]>> = {
  nerdctl: dockerLike("nerdctl version 2.1.3", "no such object anyrunner-engine-v1"),
  finch: dockerLike("finch version v1.8.0", 'time="2026-01-02T03:04:05Z" level=fatal msg="no such object anyrunner-engine-v1"'),
  apple: [
    { when: "--version", stdout: "container CLI version 1.2.2 (build: release, commit: abcdef0)\n" },
    { when: "inspect*", once: true, stderr: 'Error: notFound: "container not found: anyrunner-engine-v1"\n', exitCode: 1 },
    { when: "inspect dagger-engine-v1", stderr: 'Error: notFound: "container not found: dagger-engine-v1"\n', exitCode: 1 },
    { when: "inspect anyrunner-engine-v1", stdout: JSON.stringify([APPLE_CONTAINER]) },
    { when: "image inspect*", stderr: "Error: image not found\n", exitCode: 1 },
    { when: "image pull*" },
    { when: "volume create*" },
    { when: "run*", stdout: "anyrunner-engine-v1\n" },
  ],
};
const TAIL = ["example.com/engine:v1", "--debug", "--debugaddr", "127.0.0.1:6060"];
const VOLUME = ["volume", "create", "--label", "dev.anyrunner.role=engine-cache", "anyrunner-engine-v1"];

describe("stand-ins for what can't run here", () => {
  test.each(["nerdctl", "finch"] as const)("%s makes an engine", async (name) => {
    using shim = createShim(name, NEW_ENGINE[name]);
    const handle = await provision(name, shim, `image+${name}://example.com/engine:v1?env=TOKEN=s3cret`);
    expect(handle).toMatchObject({ driver: name, id: "c0ffee", owned: true, endpoint: { container: "c0ffee", name: "anyrunner-engine-v1" } });
    // It describes itself while the image is looked for.
    expect(shim.calls()).toContainEqual(["info", "--format", "{{json .}}"]);
    const calls = shim.calls().filter(([verb]) => verb !== "info");
    expect(calls.slice(0, -2)).toEqual([
      ["container", "inspect", "anyrunner-engine-v1"],
      ["--version"],
      ["image", "inspect", "example.com/engine:v1"],
      ["pull", "example.com/engine:v1"],
      VOLUME,
    ]);
    const run = calls.at(-2) ?? [];
    expect(run.slice(0, 3)).toEqual(["run", "--detach", "--name"]);
    expect(run.slice(-4)).toEqual(TAIL);
    expect(run).toEqual(expect.arrayContaining(["-e", "TOKEN", "--privileged"]));
    expect(JSON.stringify(calls)).not.toContain("s3cret");
    expect(shim.variable("run", "TOKEN")).toBe("s3cret");
    expect(calls.at(-1)).toEqual(["container", "inspect", "anyrunner-engine-v1"]);
  });

  test("Apple container makes an engine, by its own words", async () => {
    using shim = createShim("container", NEW_ENGINE.apple);
    const handle = await provision("apple", shim, "image+apple://example.com/engine:v1?memory=2g&cpus=3");
    expect(handle).toMatchObject({ driver: "apple", id: "anyrunner-engine-v1", owned: true });
    const calls = shim.calls();
    expect(calls.map(([verb, object]) => [verb, verb === "image" || verb === "volume" ? object : ""].join(" ").trim())).toEqual([
      ...["inspect", "--version", "image inspect", "image pull", "volume create", "run", "inspect"],
    ]);
    expect(calls.at(-2)).toEqual(expect.arrayContaining(["--cap-add", "ALL", "--cpus", "3", "--memory", "2048M"]));
    expect(calls.at(-2)?.slice(-4)).toEqual(TAIL);
  });

  test("nerdctl: a name that another caller took meanwhile is that caller's engine", async () => {
    const taken = { when: "run*", stderr: 'FATA[0000] name "anyrunner-engine-v1" is already used by ID "c0ffee"\n', exitCode: 1 };
    using shim = createShim("nerdctl", [taken, ...NEW_ENGINE.nerdctl]);
    expect(await provision("nerdctl", shim, "image+nerdctl://example.com/engine:v1")).toMatchObject({ id: "c0ffee" });
    expect(shim.calls().filter(([verb]) => verb === "run")).toHaveLength(1);
  });

  test.each<[string, string, object | undefined, readonly (readonly string[])[]]>([
    ["none", "# metrics\ndagger_connected_clients 0\n", undefined, [["stop", "--time", "1", "c0ffee"]]],
    ["no engine that listens", "# metrics\n", undefined, [["stop", "--time", "1", "c0ffee"]]],
    ["one", "# metrics\ndagger_connected_clients 1\n", { code: "TIMEOUT", message: expect.stringContaining("still in use by 1 session") }, []],
  ])("stop with sessions: %s", async (_case, stdout, failure, stops) => {
    using shim = createShim("nerdctl", [
      { when: "exec*", stdout },
      { when: "*inspect*", stdout: JSON.stringify([DOCKER_CONTAINER]) },
      { when: "volume*" },
      { when: "stop*" },
    ]);
    const driver = createContainerCliDriver("nerdctl", { env: shim.env });
    const handle = await provision("nerdctl", shim, "container+nerdctl://anyrunner-engine-v1");
    const outcome = await driver.stop?.(handle, { graceMs: 1 }).catch((error: unknown) => error);
    if (failure === undefined) expect(outcome).toBeUndefined();
    else expect(outcome).toMatchObject(failure);
    expect(shim.calls().filter(([verb]) => verb === "stop")).toEqual(stops);
    // No new session comes in meanwhile, and in the end they may again.
    const mark = "anyrunner-engine-v1-draining";
    expect(shim.calls().filter(([verb, action]) => verb === "volume" && action !== "inspect")).toEqual([
      ["volume", "create", "--label", "dev.anyrunner.role=draining", mark],
      ["volume", "rm", mark],
    ]);
  });

  test("stop by force asks nobody", async () => {
    using shim = createShim("nerdctl", [{ when: "*inspect*", stdout: JSON.stringify([DOCKER_CONTAINER]) }, { when: "stop*" }]);
    const driver = createContainerCliDriver("nerdctl", { env: shim.env });
    await driver.stop?.(await provision("nerdctl", shim, "container+nerdctl://anyrunner-engine-v1"), { graceMs: 0 });
    expect(shim.calls().filter(([verb]) => verb === "exec" || verb === "stop")).toEqual([["stop", "--time", "0", "c0ffee"]]);
  });

  test("clean-up removes our other engines that don't run, and nothing else", async () => {
    const engine = (name: string, state: string, labels: object = ENGINE_LABELS) => ({
      ...DOCKER_CONTAINER,
      Id: `id-${name}`,
      Name: name,
      Config: { Labels: labels },
      State: { Status: state },
    });
    const others = [engine("old", "exited"), engine("busy", "running"), engine("paused", "paused"), engine("theirs", "exited", {})];
    using shim = createShim("nerdctl", [
      { when: "container inspect anyrunner-engine-v1", stdout: JSON.stringify([DOCKER_CONTAINER]) },
      { when: "ps*", stdout: "anyrunner-engine-v1\nold\nbusy\npaused\ntheirs\n" },
      { when: "container inspect*", stdout: JSON.stringify([DOCKER_CONTAINER, ...others]) },
      { when: "rm*" },
    ]);
    const url = "image+nerdctl://example.com/engine:v1?cleanup=true";
    await provision("nerdctl", { ...shim, env: { ...shim.env, DAGGER_LEAVE_OLD_ENGINE: "1" } }, url);
    expect(shim.calls().filter(([verb]) => verb === "rm")).toEqual([]);
    await provision("nerdctl", shim, url);
    expect(shim.calls().filter(([verb]) => verb === "rm")).toEqual([["rm", "--force", "--volumes", "id-old"]]);
  });

  test("keep removes our stopped engines of that repository beyond the number, when one is started", async () => {
    const engine = (name: string, status: string, image = "example.com/engine:v1") => ({
      ...DOCKER_CONTAINER,
      Id: `id-${name}`,
      Name: name,
      Config: { Labels: { ...ENGINE_LABELS, "dev.anyrunner.image": image } },
      State: { Status: status },
    });
    const own = { ...DOCKER_CONTAINER, State: { Status: "exited" } };
    const others = [engine("old", "exited", "example.com/engine:v0"), engine("busy", "running"), engine("elsewhere", "exited", "example.org/engine:v1")];
    const keep = async (state: object, count: number) => {
      using shim = createShim("nerdctl", [
        { when: "container inspect anyrunner-engine-v1", stdout: JSON.stringify([state]) },
        { when: "container inspect c0ffee", stdout: JSON.stringify([DOCKER_CONTAINER]) },
        { when: "ps*", stdout: "anyrunner-engine-v1\nold\nbusy\nelsewhere\n" },
        { when: "container inspect*", stdout: JSON.stringify([DOCKER_CONTAINER, ...others]) },
        { when: "start*" },
        { when: "rm*" },
        { when: "logs*" },
      ]);
      await provision("nerdctl", shim, `image+nerdctl://example.com/engine:v1?keep=${count}`);
      return shim.calls().flatMap(([verb, ...args]) => (verb === "rm" ? [args.at(-1)] : []));
    };
    expect(await keep(own, 1)).toEqual(["id-old"]);
    expect(await keep(own, 3)).toEqual([]);
    // It ran already.
    expect(await keep(DOCKER_CONTAINER, 1)).toEqual([]);
  });

  test("Apple container: what runs is never started again", async () => {
    using shim = createShim("container", [{ when: "inspect*", stdout: JSON.stringify([APPLE_CONTAINER]) }]);
    const driver = createContainerCliDriver("apple", { env: shim.env, platform: "darwin" });
    await driver.start?.(await provision("apple", shim, "container+apple://anyrunner-engine-v1"), {});
    expect(shim.calls().map(([verb]) => verb)).not.toContain("start");
  });

  test.each<[RuntimeName, string, object]>([
    ["nerdctl", "nerdctl", DOCKER_CONTAINER],
    ["finch", "finch", DOCKER_CONTAINER],
    ["apple", "container", APPLE_CONTAINER],
  ])("%s carries a stream", async (name, command, container) => {
    using shim = createShim(command, [
      { when: "exec*", exec: "cat" },
      { when: "*inspect*", stdout: JSON.stringify([container]) },
    ]);
    const handle = await provision(name, shim, `container+${name}://anyrunner-engine-v1`);
    const { stream, closed } = await createContainerCliDriver(name, { env: shim.env, platform: platformOf(name) }).connect(handle, {});
    stream.end("over and out");
    expect(Buffer.concat(await stream.toArray()).toString()).toBe("over and out");
    expect(await closed).toEqual({ kind: "end" });
    expect(shim.calls()).toContainEqual(["exec", "-i", handle.endpoint.container, "buildctl", "dial-stdio"]);
  });

  test("nerdctl: the namespace of the URL stands before every command, and in the handle", async () => {
    using shim = createShim("nerdctl", [{ when: "*inspect*", stdout: JSON.stringify([DOCKER_CONTAINER]) }]);
    const handle = await provision("nerdctl", shim, "nerdctl-container://anyrunner-engine-v1?namespace=k8s.io");
    expect(handle).toMatchObject({ id: "k8s.io/c0ffee", endpoint: { container: "c0ffee", place: "k8s.io" } });
    await createContainerCliDriver("nerdctl", { env: shim.env }).inspect?.(handle, {});
    expect(shim.calls()).toEqual([
      ["--namespace", "k8s.io", "container", "inspect", "anyrunner-engine-v1"],
      ["--namespace", "k8s.io", "volume", "inspect", "anyrunner-engine-v1-draining"],
      ["--namespace", "k8s.io", "container", "inspect", "c0ffee"],
    ]);
  });
});

describe("why a runtime can't be used", () => {
  const PODMAN_MACHINE =
    "Cannot connect to Podman. Please verify your connection to the Linux system using `podman system connection list`, or try `podman machine init` and `podman machine start` to manage a new Linux VM\nError: unable to connect to Podman socket: dial unix: connect: no such file or directory\n";

  test.each<[string, RuntimeName, string, ShimAnswer, object]>([
    [
      "no machine",
      "podman",
      "podman",
      { when: "*", stderr: PODMAN_MACHINE, exitCode: 125 },
      { code: "CONNECTION_REFUSED", hint: expect.stringContaining("podman machine start") },
    ],
    [
      "no containerd",
      "nerdctl",
      "nerdctl",
      { when: "*", stderr: 'FATA[0000] cannot access containerd socket "/run/containerd/containerd.sock": no such file or directory\n', exitCode: 1 },
      { code: "CONNECTION_REFUSED", hint: expect.stringContaining("containerd") },
    ],
    [
      "somebody else's containerd",
      "nerdctl",
      "nerdctl",
      { when: "*", stderr: 'FATA[0000] cannot access containerd socket "/run/containerd/containerd.sock": permission denied\n', exitCode: 1 },
      { code: "PERMISSION_DENIED" },
    ],
    [
      "no rootless containerd",
      "nerdctl",
      "nerdctl",
      { when: "*", stderr: "FATA[0000] rootless containerd not running? (hint: …)\n", exitCode: 1 },
      { code: "CONNECTION_REFUSED" },
    ],
    [
      "a machine that is stopped",
      "finch",
      "finch",
      { when: "vm status", stdout: "Stopped\n" },
      { code: "CONNECTION_REFUSED", hint: "start it: finch vm start" },
    ],
    ["no machine yet", "finch", "finch", { when: "vm status", stdout: "Nonexistent\n" }, { code: "CONNECTION_REFUSED", hint: "make it: finch vm init" }],
    [
      "services that are stopped",
      "apple",
      "container",
      { when: "*", stdout: "apiserver is not running\n", exitCode: 1 },
      { code: "CONNECTION_REFUSED", hint: "start them: container system start" },
    ],
  ])("%s of %s", async (_what, name, command, answer, expected) => {
    using shim = createShim(command, [answer, { when: "--version", stdout: "9.9.9\n" }]);
    const driver = createContainerCliDriver(name, { env: shim.env, platform: "darwin" });
    for (const url of [`container+${name}://x`, `image+${name}://example.com/engine:v1`]) {
      const target = await driver.parse(parseRunnerUrl(url));
      const { available, ...reason } = await driver.probe(target, {});
      expect({ available, ...reason }).toMatchObject({ available: false, ...expected });
      await expect(driver.provision(target, {})).rejects.toMatchObject(expected);
    }
  });

  test.each<[RuntimeName, string]>([
    ["podman", "podman"],
    ["nerdctl", "nerdctl"],
    ["finch", "finch"],
    ["apple", "container"],
  ])("%s that isn't installed is named", async (name, command) => {
    const driver = createContainerCliDriver(name, { env: { PATH: "/no/such/folder" }, platform: platformOf(name) });
    const result = await driver.probe(await driver.parse(parseRunnerUrl(`image+${name}://example.com/engine:v1`)), {});
    expect(result).toMatchObject({
      available: false,
      code: "NOT_AVAILABLE",
      reason: expect.stringContaining(`no program "${command}"`),
      hint: expect.stringContaining("http"),
    });
  });

  test("Apple container is looked for on macOS only: elsewhere a program of that name is another one", async () => {
    using shim = createShim("container", [{ when: "*" }]);
    const driver = createContainerCliDriver("apple", { env: shim.env, platform: "linux" });
    const result = await driver.probe(await driver.parse(parseRunnerUrl("image://example.com/engine:v1")), {});
    expect(result).toMatchObject({ available: false, code: "NOT_AVAILABLE", reason: "Apple container exists on macOS only" });
    expect(shim.calls()).toEqual([]);
  });

  test("finch off Linux is asked for its machine before anything that would start it", async () => {
    using shim = createShim("finch", [{ when: "vm status", stdout: "Stopped\n" }]);
    const driver = createContainerCliDriver("finch", { env: shim.env, platform: "darwin" });
    await driver.probe(await driver.parse(parseRunnerUrl("container+finch://x")), {});
    expect(shim.calls()).toEqual([["vm", "status"]]);
  });

  test("a version that is too old is UNSUPPORTED, by name", async () => {
    using shim = createShim("container", [{ when: "--version", stdout: "container CLI version 0.12.3 (build: release)\n" }, { when: "system status" }]);
    const driver = createContainerCliDriver("apple", { env: shim.env, platform: "darwin" });
    expect(await driver.probe(await driver.parse(parseRunnerUrl("image+apple://example.com/engine:v1")), {})).toMatchObject({
      available: false,
      code: "UNSUPPORTED",
      reason: "Apple container 0.12.3 is too old: engines need 1.0.0 or newer",
    });
  });
});

async function provision(name: RuntimeName, shim: Shim, url: string) {
  const driver = createContainerCliDriver(name, { env: shim.env, platform: platformOf(name) });
  const parsed = parseRunnerUrl(url);
  return driver.provision(await driver.parse(parsed), { secrets: urlSecrets(parsed, driver.options) });
}

function platformOf(name: RuntimeName): NodeJS.Platform {
  return name === "apple" ? "darwin" : "linux";
}

/** Nothing is there but a registry; once `run` was called, the container is. */
function dockerLike(version: string, notFound: string): readonly ShimAnswer[] {
  return [
    { when: "--version", stdout: `${version}\n` },
    { when: "container inspect*", once: true, stderr: `${notFound}\n`, exitCode: 1 },
    { when: "container inspect dagger-engine-v1", stderr: `${notFound}\n`, exitCode: 1 },
    { when: "container inspect anyrunner-engine-v1", stdout: JSON.stringify([DOCKER_CONTAINER]) },
    { when: "image inspect*", stderr: "FATA[0000] 1 errors: [no such image: example.com/engine:v1]\n", exitCode: 1 },
    { when: "pull*" },
    { when: "volume create*" },
    { when: "run*", stdout: "c0ffee\n" },
  ];
}
