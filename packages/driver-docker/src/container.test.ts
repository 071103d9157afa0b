import type { DockerEndpoint } from "@anyrunner/docker-endpoint";
import { describe, expect, test } from "vitest";

import { containerNotRunning, describeState, type ContainerDetails, type ContainerState } from "./container.ts";

const endpoint: DockerEndpoint = { host: "unix:///var/run/docker.sock", from: { kind: "default", name: "socket" } };
const container = (state: Partial<ContainerState>, restarts = 0): ContainerDetails => ({
  Id: "1",
  Name: "/engine",
  RestartCount: restarts,
  Config: { Image: "engine:1", Tty: false },
  State: { Status: "exited", ExitCode: 0, OOMKilled: false, Error: "", StartedAt: "2026-01-01T00:00:00Z", FinishedAt: "2026-01-02T00:00:00Z", ...state },
});

describe("state", () => {
  test.each<[Partial<ContainerState>, number, string, string, boolean]>([
    [{ ExitCode: 1 }, 0, "is not running: it ended with exit code 1 at 2026-01-02T00:00:00Z", "start it: docker start engine", false],
    [
      { ExitCode: 137, OOMKilled: true },
      0,
      "is not running: it ended with exit code 137 (killed for lack of memory) at 2026-01-02T00:00:00Z",
      "start it: docker start engine",
      false,
    ],
    [
      { ExitCode: 128, Error: "no such runtime" },
      0,
      "is not running: it ended with exit code 128 at 2026-01-02T00:00:00Z: no such runtime",
      "start it: docker start engine",
      false,
    ],
    [{ Status: "created" }, 0, "was never started", "start it: docker start engine", false],
    [{ Status: "paused" }, 0, "is paused", "resume it: docker unpause engine", false],
    [{ Status: "restarting", ExitCode: 2 }, 9, "is restarting, 9 times so far, last with exit code 2", "see why it ends: docker logs engine", true],
    [
      { Status: "dead", Error: "device busy" },
      0,
      "is dead: the daemon failed to remove it: device busy",
      "make a new one; docker rm -f engine removes this one",
      false,
    ],
    [{ Status: "removing" }, 0, "is being removed", "make a new one; docker rm -f engine removes this one", false],
  ])("%o", (state, restarts, words, hint, retryable) => {
    expect(describeState(container(state, restarts))).toBe(words);
    expect(containerNotRunning(endpoint, container(state, restarts))).toMatchObject({
      code: "NOT_RUNNING",
      message: `the container "engine" ${words}`,
      hint,
      retryable,
    });
  });

  test("running, with its restarts", () => {
    expect(describeState(container({ Status: "running" }))).toBe("is running");
    expect(describeState(container({ Status: "running" }, 3))).toBe("is running, restarted 3 times");
  });

  test.each<[Partial<DockerEndpoint>, string]>([
    [{ from: { kind: "flag", name: "?context=" }, context: "build" }, "start it: docker --context build start engine"],
    [{ from: { kind: "flag", name: "?host=" }, host: "unix:///x" }, "start it: docker --host unix:///x start engine"],
    [{ from: { kind: "environment", name: "DOCKER_HOST" }, host: "unix:///x" }, "start it: docker start engine"],
  ])("the hint is the command for this very daemon: %o", (change, hint) => {
    expect(containerNotRunning({ ...endpoint, ...change } as DockerEndpoint, container({}))).toMatchObject({ hint });
  });
});
