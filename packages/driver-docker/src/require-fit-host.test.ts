import type { RunnerEvent } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import type { DaemonInfo, HostView } from "@anyrunner/engine-container";
import { describe, expect, test } from "vitest";

import { requireFitHost } from "./require-fit-host.ts";

const clientWith = (info: DaemonInfo | Error, host = "unix:///var/run/docker.sock") =>
  ({
    endpoint: { host },
    async json() {
      if (info instanceof Error) throw info;
      return info;
    },
  }) as unknown as DockerClient;

const GIB = 1024 ** 3;
const hostWith = (changes: Partial<HostView> = {}): HostView => ({
  platform: "linux",
  readText: async () => undefined,
  list: async () => ["nf_nat"],
  fileSystem: async () => ({ type: 0xef53, totalBytes: 100 * GIB, freeBytes: 50 * GIB }),
  isPortFree: async () => true,
  ...changes,
});
const INFO: DaemonInfo = { OSType: "linux", DockerRootDir: "/var/lib/docker", MemTotal: 8 * GIB };
const port = { address: "127.0.0.1", port: 1234 };

async function warningsOf(client: DockerClient, host = hostWith()): Promise<readonly string[]> {
  const events: RunnerEvent[] = [];
  await requireFitHost(client, { port, host, report: (event) => void events.push(event) });
  return events.map((event) => (event.type === "retry" ? "" : event.id));
}

describe("before a start", () => {
  test("a machine that has everything: nothing is said", async () => {
    expect(await warningsOf(clientWith(INFO))).toEqual([]);
  });

  test.each<[string, DockerClient, HostView, string, string]>([
    ["a taken port", clientWith(INFO), hostWith({ isPortFree: async () => false }), "ALREADY_EXISTS", "host.port"],
    ["an address of another machine", clientWith(INFO), hostWith({ isPortFree: async () => false, hasAddress: () => false }), "INVALID_OPTION", "host.address"],
    [
      "volumes on overlayfs",
      clientWith(INFO),
      hostWith({ fileSystem: async () => ({ type: 0x794c7630, totalBytes: GIB, freeBytes: GIB }) }),
      "NOT_AVAILABLE",
      "host.overlay",
    ],
    ["containers of another system", clientWith({ ...INFO, OSType: "windows" }), hostWith(), "UNSUPPORTED", "docker.system"],
  ])("%s is refused with reason and remedy", async (_, client, host, code, requirement) => {
    await expect(requireFitHost(client, { port, host })).rejects.toMatchObject({ code, details: { requirement }, hint: expect.stringMatching(/./) });
  });

  test("what may go well is a warning", async () => {
    const rootless = { ...INFO, SecurityOptions: ["name=rootless"] };
    const scarce = hostWith({ list: async () => [], fileSystem: async () => ({ type: 0xef53, totalBytes: 100 * GIB, freeBytes: 5 * GIB }) });
    expect(await warningsOf(clientWith(rootless), scarce)).toEqual(["requirement-docker.privileges", "requirement-host.nat", "requirement-host.disk"]);
  });

  test("of a daemon elsewhere only its own words are looked at, and one that doesn't describe itself is taken as it is", async () => {
    const taken = hostWith({ isPortFree: async () => false });
    expect(await warningsOf(clientWith(INFO, "tcp://build.example:2376"), taken)).toEqual([]);
    expect(await warningsOf(clientWith(new Error("403")), taken)).toEqual([]);
  });
});
