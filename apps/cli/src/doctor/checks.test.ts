import type { RunnerState } from "@anyrunner/core";
import { daemonChecks, hostChecks, type HostView } from "@anyrunner/engine-container";
import { describe, expect, test } from "vitest";

import { containerChecks, type InspectedContainer } from "./container-checks.ts";
import { windowCheck } from "./engine-checks.ts";
import { stateChecks } from "./state-checks.ts";

const statuses = (checks: readonly { id: string; status: string }[]) => Object.fromEntries(checks.map(({ id, status }) => [id, status]));

interface FakeHost {
  readonly platform?: NodeJS.Platform;
  readonly files?: Readonly<Record<string, string>>;
  readonly folders?: Readonly<Record<string, readonly string[]>>;
  readonly disk?: Awaited<ReturnType<HostView["fileSystem"]>>;
  readonly isPortFree?: boolean;
}

function fakeHost({ platform = "linux", files = {}, folders = {}, disk, isPortFree = true }: FakeHost): HostView {
  return {
    platform,
    readText: async (path) => files[path],
    list: async (path) => folders[path] ?? [],
    fileSystem: async () => disk,
    isPortFree: async () => isPortFree,
  };
}

const GOOD: FakeHost = {
  files: {
    "/proc/self/status": "Name:\tnode\nCapBnd:\t000001ffffffffff\n",
    "/proc/net/ip_tables_names": "filter\nnat\n",
    "/proc/net/route": "Iface\tDestination\neth0\t00000000\t0100000A\n",
    "/sys/class/net/eth0/mtu": "1500\n",
    "/sys/class/net/docker0/mtu": "1500\n",
  },
  folders: { "/sys/class/net": ["docker0", "eth0", "lo"] },
  disk: { type: 0xef53, totalBytes: 100 * 1024 ** 3, freeBytes: 50 * 1024 ** 3 },
};
const options = { rootFolder: "/var/lib/docker", port: { address: "127.0.0.1", port: 1234 }, engineRuns: false };

describe("this machine", () => {
  test("one that has everything", async () => {
    expect(statuses(await hostChecks(fakeHost(GOOD), options))).toEqual({
      "host.privileges": "ok",
      "host.nat": "ok",
      "host.mtu": "ok",
      "host.port": "ok",
      "host.disk": "ok",
      "host.overlay": "ok",
    });
  });

  test.each<[string, FakeHost, string, string, RegExp]>([
    [
      "no CAP_SYS_ADMIN",
      { files: { ...GOOD.files, "/proc/self/status": "CapBnd:\t00000000a80425fb\n" } },
      "host.privileges",
      "warning",
      /unprivileged container/,
    ],
    ["no nat table", { files: { ...GOOD.files, "/proc/net/ip_tables_names": "filter\n" } }, "host.nat", "warning", /nat/],
    [
      "a bridge with larger packets",
      { files: { ...GOOD.files, "/sys/class/net/eth0/mtu": "1400\n" } },
      "host.mtu",
      "warning",
      /1500 bytes, but eth0 carries 1400/,
    ],
    ["a taken port", { isPortFree: false }, "host.port", "failed", /127\.0\.0\.1:1234/],
    ["a full disk", { disk: { type: 0xef53, totalBytes: 100 * 1024 ** 3, freeBytes: 15 * 1024 ** 3 } }, "host.disk", "warning", /15\.0 GiB of 100 GiB/],
    ["overlay below", { disk: { type: 0x794c7630, totalBytes: 2 ** 40, freeBytes: 2 ** 39 } }, "host.overlay", "failed", /overlayfs/],
  ])("%s", async (_, host, id, status, detail) => {
    const check = (await hostChecks(fakeHost({ ...GOOD, ...host }), options)).find((candidate) => candidate.id === id);
    expect(check).toEqual({ id, status, detail: expect.stringMatching(detail), remedy: expect.stringMatching(/./) });
  });

  test("a nat table that is loaded as a module counts; what can't be seen is skipped, not wrong", async () => {
    expect(statuses(await hostChecks(fakeHost({ folders: { "/sys/module": ["nf_nat"] } }), { ...options, port: undefined }))).toEqual({
      "host.privileges": "skipped",
      "host.nat": "ok",
      "host.mtu": "skipped",
      "host.disk": "skipped",
    });
    expect(statuses(await hostChecks(fakeHost({ platform: "darwin" }), options))).toEqual({ host: "skipped" });
  });

  test("the port of an engine that answers is rightly taken", async () => {
    expect(statuses(await hostChecks(fakeHost({ ...GOOD, isPortFree: false }), { ...options, engineRuns: true }))).not.toHaveProperty("host.port");
  });
});

describe("a daemon", () => {
  test.each([
    [
      { OSType: "linux", CgroupVersion: "2", CgroupDriver: "systemd", MemTotal: 2 ** 33, SecurityOptions: ["name=seccomp"] },
      { "docker.privileges": "ok", "docker.system": "ok" },
    ],
    [{ OSType: "windows" }, { "docker.system": "failed", "docker.cgroups": "skipped" }],
    [{ OSType: "linux", SecurityOptions: ["name=rootless"] }, { "docker.privileges": "warning" }],
    [{ OSType: "linux", SecurityOptions: ["name=userns"] }, { "docker.privileges": "warning" }],
    [{ OSType: "linux", CgroupDriver: "none", CgroupVersion: "1" }, { "docker.cgroups": "warning" }],
    [{ OSType: "linux", MemTotal: 2 ** 30 }, { "docker.memory": "warning" }],
    [{ OSType: "linux", Warnings: ["WARNING: bridge-nf-call-iptables is disabled"] }, { "docker.warning": "warning" }],
  ])("that says %j", (info, expected) => {
    expect(statuses(daemonChecks(info))).toMatchObject(expected);
  });
});

describe("a container", () => {
  const container = (rest: Partial<InspectedContainer>): InspectedContainer => ({
    Id: "i",
    Name: "/n",
    State: { Status: "running", ExitCode: 0, OOMKilled: false },
    ...rest,
  });
  const volume = [{ Type: "volume", Name: "v", Destination: "/var/lib/dagger" }];
  test.each<[string, Partial<InspectedContainer>, readonly string[], string, string]>([
    ["privileged", { HostConfig: { Privileged: true }, Mounts: volume }, [], "container.privileges", "ok"],
    ["with the capability alone", { HostConfig: { CapAdd: ["CAP_SYS_ADMIN"] }, Mounts: volume }, [], "container.privileges", "ok"],
    ["unprivileged", { HostConfig: { CapAdd: ["NET_ADMIN"] }, Mounts: volume }, [], "container.privileges", "failed"],
    ["without a volume", { HostConfig: { Privileged: true }, Mounts: [] }, [], "container.state", "failed"],
    ["on a folder", { Mounts: [{ Type: "bind", Source: "/data", Destination: "/var/lib/dagger" }] }, [], "container.state", "ok"],
    ["on the state of another", { Mounts: volume }, ["other"], "container.lock", "failed"],
  ])("%s", (_, rest, sharers, id, status) => {
    expect(statuses(containerChecks(container(rest), sharers))).toMatchObject({ [id]: status });
  });
});

describe("the window of versions", () => {
  test.each([
    ["v0.21.8", undefined, "ok"],
    ["v0.21.8", "v0.19.3", "ok"],
    ["v0.21.8", "v0.18.3", "failed"],
    ["v0.20.0", "v0.21.8", "warning"],
  ])("engine %s and project %s: %s", (engine, project, status) => {
    expect(windowCheck(engine, project)).toMatchObject({ id: "engine.window", status });
  });
});

describe("the state of a runner whose engine doesn't answer", () => {
  test.each<[string, RunnerState, readonly object[]]>([
    ["that runs: nothing", { status: "running", details: { restarts: 0 } }, []],
    [
      "that ran out of memory",
      { status: "starting", exitCode: 137, oomKilled: true, details: { restarts: 4, node: "n1" } },
      [
        {
          id: "runner.state",
          status: "failed",
          detail: "starting on the node n1, exit code 137, killed for lack of memory, restarted 4 times",
          remedy: expect.stringContaining("more memory") as unknown,
        },
      ],
    ],
    [
      "that finds no node",
      { status: "starting", details: { events: ["FailedScheduling: 0/1 nodes are available"] } },
      [
        { id: "runner.state", status: "failed", detail: "starting", remedy: "mend what its events name" },
        { id: "runner.events", status: "warning", detail: "what happened to it:\nFailedScheduling: 0/1 nodes are available" },
      ],
    ],
    [
      "whose events may not be read",
      { status: "stopped", exitCode: 1, details: { eventsUnknown: "events is forbidden" } },
      [
        { id: "runner.state", status: "failed", detail: "stopped, exit code 1", remedy: "mend what its last words name" },
        { id: "runner.events", status: "skipped", detail: "what happened to it can't be known: events is forbidden" },
      ],
    ],
  ])("one %s", (_, state, expected) => {
    expect(stateChecks(state)).toEqual(expected);
  });
});
