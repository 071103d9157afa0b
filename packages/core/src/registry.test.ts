import { describe, expect, test, vi } from "vitest";

import type { ProbeResult, RunnerDriver } from "./driver.ts";
import { createRegistry, type DriverEntry } from "./registry.ts";
import { RunnerError } from "./runner-error.ts";
import { parseRunnerUrl } from "./runner-url.ts";
import { unavailable } from "./unavailable.ts";

type Behaviour = Partial<Pick<RunnerDriver, "options" | "schemes" | "parse" | "probe">>;

function toy(name: string, behaviour: Behaviour = {}): RunnerDriver {
  return {
    specVersion: 1,
    name,
    schemes: ["image"],
    capabilities: [],
    options: [],
    parse: (url) => ({ driver: name, url: url.body }),
    probe: () => Promise.resolve<ProbeResult>({ available: true }),
    provision: () => Promise.resolve({ driver: name, id: "1", endpoint: {}, owned: false, labels: {} }),
    connect: () => Promise.reject(new Error("not here")),
    ...behaviour,
  };
}

function entry(name: string, behaviour: Behaviour = {}, load?: () => Promise<unknown>): DriverEntry {
  return { name, schemes: behaviour.schemes ?? ["image"], origin: `package ${name}`, load: load ?? (() => Promise.resolve({ driver: toy(name, behaviour) })) };
}

const absent = (reason: string, hint?: string): Behaviour => ({ probe: () => Promise.resolve({ available: false, reason, hint }) });
const url = parseRunnerUrl("image://engine:v1?pin=Zq7Z");

describe("resolve", () => {
  test("takes the first candidate that is available, and keeps why the ones before it were not", async () => {
    const registry = createRegistry([entry("docker", absent("no docker", "install it")), entry("podman"), entry("nerdctl", absent("never asked"))]);
    const resolved = await registry.resolve(url);
    expect(resolved).toMatchObject({ driver: { name: "podman" }, target: { driver: "podman", url: "engine:v1" }, url });
    expect(resolved.losers).toEqual([{ driver: "docker", code: "NOT_AVAILABLE", reason: "no docker", hint: "install it" }]);
  });

  test("a candidate that throws or can't be loaded is a loser like any other", async () => {
    const registry = createRegistry([
      entry("missing", {}, () => Promise.reject(new RunnerError("DRIVER_NOT_INSTALLED", "not installed", { hint: "npm install it" }))),
      entry("broken", { probe: () => Promise.reject(new Error("probe broke")) }),
      entry("docker"),
    ]);
    const { driver, losers } = await registry.resolve(url);
    expect(driver.name).toBe("docker");
    expect(losers).toEqual([
      { driver: "missing", code: "DRIVER_NOT_INSTALLED", reason: "not installed", hint: "npm install it" },
      { driver: "broken", code: "INTERNAL", reason: "probe broke", hint: expect.stringMatching(/^tell the author of the driver broken/) as unknown },
    ]);
  });

  test("when none is available the error lists every reason, with causes, and hides secrets", async () => {
    const secret = { options: [{ name: "pin", type: "string", help: "PIN.", secret: true }] as const };
    const registry = createRegistry([
      entry("docker", { ...absent("no docker", "install it"), ...secret }),
      entry("podman", { probe: () => Promise.reject(new Error("broke")) }),
    ]);
    const error = (await registry.resolve(url).catch((reason: unknown) => reason)) as RunnerError;
    expect(error).toMatchObject({
      code: "NOT_AVAILABLE",
      details: {
        losers: [
          { driver: "docker", code: "NOT_AVAILABLE", reason: "no docker", hint: "install it" },
          { driver: "podman", code: "INTERNAL", reason: "broke" },
        ],
      },
    });
    expect(error.message).toBe(
      "nothing can serve image://engine:v1?pin=***:\n  docker: no docker (install it)\n  podman: broke (tell the author of the driver podman (package podman): it has thrown this)",
    );
    expect((error.cause as AggregateError).errors).toHaveLength(2);
  });

  test("a single candidate's own error is kept, and its code for what it reports", async () => {
    const own = new RunnerError("PERMISSION_DENIED", "no access");
    await expect(createRegistry([entry("docker", { probe: () => Promise.reject(own) })]).resolve(url)).rejects.toBe(own);
    const reported = createRegistry([
      entry("docker", { probe: () => Promise.resolve({ available: false, reason: "stopped", code: "NOT_RUNNING", hint: "start it" }) }),
    ]);
    await expect(reported.resolve(url)).rejects.toMatchObject({ code: "NOT_RUNNING", message: "stopped", hint: "start it", driver: "docker" });
    await expect(createRegistry([entry("docker", absent("gone"))]).resolve(url)).rejects.toMatchObject({ code: "NOT_AVAILABLE", message: "gone" });
  });

  test("what a driver knows of the failure stays, alone and among others", async () => {
    const own = new RunnerError("NOT_RUNNING", "it ended", { hint: "start it", details: { exitCode: 137 }, cause: new Error("409") });
    const stopped = entry("docker", { probe: () => Promise.resolve(unavailable(own)) });
    await expect(createRegistry([stopped]).resolve(url)).rejects.toMatchObject({ code: "NOT_RUNNING", details: { exitCode: 137 }, cause: own });
    const losers = [
      { driver: "docker", code: "NOT_RUNNING", reason: "it ended", hint: "start it", details: { exitCode: 137 } },
      { driver: "podman", code: "NOT_AVAILABLE", reason: "no podman", hint: "install it" },
    ];
    await expect(createRegistry([stopped, entry("podman", absent("no podman", "install it"))]).resolve(url)).rejects.toMatchObject({ details: { losers } });
    expect((await createRegistry([stopped, entry("podman")]).resolve(url)).losers).toEqual(losers.slice(0, 1));
  });

  test.each(["INVALID_URL", "INVALID_OPTION"] as const)("a URL that every candidate refuses with %s is that, not unavailable", async (code) => {
    const parse = () => {
      throw new RunnerError(code, "bad body");
    };
    await expect(createRegistry([entry("docker", { parse }), entry("podman", { parse })]).resolve(url)).rejects.toMatchObject({ code, message: "bad body" });
    await expect(createRegistry([entry("docker", { parse }), entry("podman", absent("no podman"))]).resolve(url)).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
    });
  });

  test("an unknown scheme is told with what is known", async () => {
    const registry = createRegistry([entry("docker", { schemes: ["image", "docker-container", "image+docker"] })]);
    await expect(registry.resolve(parseRunnerUrl("imag://x"))).rejects.toMatchObject({
      code: "UNKNOWN_SCHEME",
      hint: 'did you mean "image"?\nif you have a driver for it: anyrunner drivers add NAME',
    });
    await expect(registry.resolve(parseRunnerUrl("ssh://x"))).rejects.toMatchObject({
      code: "UNKNOWN_SCHEME",
      hint: "schemes are docker-container, image; all of them: anyrunner drivers\nif you have a driver for it: anyrunner drivers add NAME",
      details: { scheme: "ssh", known: ["docker-container", "image", "image+docker"] },
    });
  });

  test("an unknown scheme: what is only planned is offered when it is near, never as something that works; what is absent is named", async () => {
    const registry = createRegistry([
      entry("docker"),
      { ...entry("ssh", { schemes: ["ssh"] }), planned: true },
      { ...entry("gone", { schemes: ["gone"] }), absent: { message: "the file names gone, which is not installed", hint: "run: npm install gone" } },
    ]);
    await expect(registry.resolve(parseRunnerUrl("shh://x"))).rejects.toMatchObject({
      code: "UNKNOWN_SCHEME",
      message: 'no driver for the scheme "shh"; the file names gone, which is not installed',
      hint: 'run: npm install gone\ndid you mean "ssh"?\nif you have a driver for it: anyrunner drivers add NAME',
    });
  });

  test("an abort ends it before the first and between two candidates", async () => {
    const controller = new AbortController();
    const asked: string[] = [];
    const note = (name: string): Behaviour => ({
      probe: () => {
        asked.push(name);
        controller.abort(new Error("enough"));
        return Promise.reject(new Error("cut"));
      },
    });
    const registry = createRegistry([entry("docker", note("docker")), entry("podman", note("podman"))]);
    await expect(registry.resolve(url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    await expect(registry.resolve(url, { signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(asked).toEqual(["docker"]);
  });
});

describe("load", () => {
  test("a module is loaded once, also by two callers at once", async () => {
    let loads = 0;
    const counted = entry("docker", {}, () => {
      loads += 1;
      return Promise.resolve({ driver: toy("docker") });
    });
    const registry = createRegistry([counted]);
    const [one, two] = await Promise.all([registry.load(counted), registry.load(counted)]);
    expect(await registry.driver("docker")).toBe(one);
    expect(two).toBe(one);
    expect(loads).toBe(1);
  });

  test("a load that failed is tried again", async () => {
    let loads = 0;
    const flaky = entry("docker", {}, () => (++loads === 1 ? Promise.reject(new Error("disk")) : Promise.resolve({ driver: toy("docker") })));
    const registry = createRegistry([flaky]);
    await expect(registry.load(flaky)).rejects.toMatchObject({
      code: "DRIVER_INVALID",
      message: "package docker fails while it is loaded: disk",
      cause: expect.any(Error),
      driver: "docker",
    });
    await expect(registry.load(flaky)).resolves.toMatchObject({ name: "docker" });
    expect(loads).toBe(2);
  });

  test("one that never ends is given up, by name; whoever aborts needn't wait for that", async () => {
    vi.useFakeTimers();
    try {
      const endless = entry("docker", {}, () => new Promise(() => {}));
      const registry = createRegistry([endless]);
      const controller = new AbortController();
      const aborted = expect(registry.resolve(url, { signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
      controller.abort();
      await aborted;
      const loading = expect(registry.load(endless)).rejects.toMatchObject({
        code: "DRIVER_INVALID",
        message: "package docker is not loaded after 60 s",
        driver: "docker",
      });
      await vi.advanceTimersByTimeAsync(60_000);
      await loading;
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("takes a module or the driver itself", async () => {
    const bare = entry("docker", {}, () => Promise.resolve(toy("docker")));
    expect((await createRegistry([bare]).load(bare)).name).toBe("docker");
  });

  test.each<[string, () => Promise<unknown>, string, RegExp]>([
    ["is for another version", () => Promise.resolve({ driver: { ...toy("docker"), specVersion: 2 } }), "SPEC_MISMATCH", /specVersion 2/],
    ["exports nothing", () => Promise.resolve({}), "DRIVER_INVALID", /exports no "driver"/],
    [
      "gives another driver than it announced",
      () => Promise.resolve({ driver: toy("other") }),
      "DRIVER_INVALID",
      /announces the driver "docker" but gives "other"/,
    ],
    [
      "throws while it is called",
      () => {
        throw new TypeError("at once");
      },
      "DRIVER_INVALID",
      /at once/,
    ],
    ["isn't installed", () => Promise.reject(new RunnerError("DRIVER_NOT_INSTALLED", "missing")), "DRIVER_NOT_INSTALLED", /missing/],
  ])("a module that %s is refused", async (_, load, code, message) => {
    const bad = entry("docker", {}, load);
    await expect(createRegistry([bad]).load(bad)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe("createRegistry", () => {
  test("keeps order, lists candidates by scheme, and loads nothing", () => {
    const unloadable = () => Promise.reject(new Error("must not be loaded"));
    const first = entry("docker", { schemes: ["image", "docker-container"] }, unloadable);
    const second = entry("podman", { schemes: ["image"] }, unloadable);
    const registry = createRegistry([first, second]);
    expect(registry.entries).toEqual([first, second]);
    expect(registry.candidates("image")).toEqual([first, second]);
    expect(registry.candidates("docker-container")).toEqual([first]);
    expect(registry.candidates("Image")).toEqual([]);
  });

  test("two registries don't share anything", () => {
    createRegistry([entry("docker")]);
    expect(createRegistry([]).candidates("image")).toEqual([]);
  });

  test("two entries of one name are refused, with both origins", () => {
    expect(() => createRegistry([entry("docker"), { ...entry("docker"), origin: "file x" }])).toThrow(
      expect.objectContaining({ code: "DRIVER_INVALID", message: 'two drivers are named "docker": package docker and file x' }),
    );
  });

  test("a driver that isn't there by name is told with what is known", async () => {
    await expect(createRegistry([entry("docker")]).driver("dokcer")).rejects.toMatchObject({
      code: "UNKNOWN_SCHEME",
      hint: 'did you mean "docker"? known are docker',
    });
  });
});
