import { text } from "node:stream/consumers";

import { parseRunnerUrl, type RunnerEvent, type RunnerHandle } from "@anyrunner/core/driver";
import { ensureBusyboxImage } from "@anyrunner/testkit";
import { describe, expect, test } from "vitest";

import { createDockerDriver } from "./driver.ts";
import type { DockerHandle } from "./handle.ts";
import { parseDockerTarget } from "./target.ts";
import { runTestContainer, skipReason, type TestContainer, type TestContainerOptions } from "./test-container.ts";

const driver = createDockerDriver();
const probe = (name: string) => driver.probe(parseDockerTarget(parseRunnerUrl(`docker-container://${name}`)), {});
const provision = (name: string) => driver.provision(parseDockerTarget(parseRunnerUrl(`docker-container://${name}`)), {});

async function readLog(name: string): Promise<string> {
  let text = "";
  for await (const chunk of driver.logs?.(await provision(name), {}) ?? []) text += chunk;
  return text;
}

/** Its first process outlives the one that the kernel kills: Docker misses the kernel's word when the container ends with it. */
const OUT_OF_MEMORY = "tail /dev/zero; exec sleep 3600";

/** Ends it once Docker has heard the kernel's word. */
async function endOutOfMemory({ client, id, act }: TestContainer): Promise<void> {
  const filters = JSON.stringify({ container: [id], event: ["oom"] });
  const events = async () => text((await client.request({ path: "/events", query: { since: 1, until: Math.floor(Date.now() / 1000), filters } })).body);
  await expect.poll(events).toContain('"oom"');
  await act("kill");
}

describe.skipIf(skipReason !== undefined)(`real daemon${skipReason === undefined ? "" : ` (${skipReason})`}`, () => {
  test("a missing container: the nearest name, and how to list", async () => {
    await using container = await runTestContainer();
    const misspelt = container.name.replace("test", "tset");
    const expected = { code: "NOT_FOUND", hint: `did you mean "${container.name}"? \`docker ps -a\` lists the containers` };
    expect(await probe(misspelt)).toMatchObject({
      available: false,
      reason: `there is no container "${misspelt}" on the Docker daemon at unix:///var/run/docker.sock`,
      ...expected,
    });
    await expect(provision(misspelt)).rejects.toMatchObject({ ...expected, retryable: false, driver: "docker" });
  });

  test.each<[string, TestContainerOptions, (container: TestContainer) => Promise<void>, RegExp, string]>([
    ["stopped", {}, (container) => container.act("kill"), /is not running: it ended with exit code 137 at 20/, "start it: docker start NAME"],
    [
      "ended by itself",
      { command: ["sh", "-c", "exit 3"] },
      (container) => container.act("wait"),
      /it ended with exit code 3 at 20/,
      "start it: docker start NAME",
    ],
    ["never started", { start: false }, () => Promise.resolve(), /was never started/, "start it: docker start NAME"],
    ["paused", {}, (container) => container.act("pause"), /is paused/, "resume it: docker unpause NAME"],
    [
      "out of memory",
      { command: ["sh", "-c", OUT_OF_MEMORY], hostConfig: { Memory: 16 * 1024 * 1024 } },
      endOutOfMemory,
      /exit code 137 \(killed for lack of memory\)/,
      "start it: docker start NAME",
    ],
  ])("a container that is %s is NOT_RUNNING", async (_state, options, bring, reason, hint) => {
    await using container = await runTestContainer(options);
    const handle = options.start === false || options.command !== undefined ? undefined : await provision(container.name);
    await bring(container);
    const expected = { code: "NOT_RUNNING", hint: hint.replace("NAME", container.name) };
    expect(await probe(container.name)).toMatchObject({ available: false, reason: expect.stringMatching(reason), ...expected });
    await expect(provision(container.name)).rejects.toMatchObject({ ...expected, retryable: false });
    if (handle !== undefined) await expect(driver.connect(handle, {})).rejects.toMatchObject({ ...expected, message: expect.stringMatching(reason) });
  });

  test("a container that restarts is worth another attempt", async () => {
    await using container = await runTestContainer({ command: ["sh", "-c", "exit 5"], hostConfig: { RestartPolicy: { Name: "always" } } });
    // Each pause is twice as long as the one before, so a restart is soon caught in the act.
    await expect
      .poll(() => probe(container.name), { timeout: 60_000 })
      .toMatchObject({ available: true, detail: expect.stringMatching(/is restarting, \d+ times so far, last with exit code 5/) });
  });

  test("a container that was removed meanwhile is NOT_FOUND, by its name", async () => {
    const container = await runTestContainer();
    const handle = await provision(container.name);
    await container.remove();
    await expect(driver.connect(handle, {})).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining(container.name) });
    expect(await driver.inspect?.(handle, {})).toEqual({ status: "missing" });
  });

  test("a container without an engine's relay is WRONG_SERVER and names the program", async () => {
    await using container = await runTestContainer({ image: await ensureBusyboxImage(), command: ["sleep", "3600"] });
    const { stream, closed } = await driver.connect(await provision(container.name), {});
    stream.on("error", () => undefined).resume();
    expect(await closed).toMatchObject({
      kind: "error",
      error: {
        code: "WRONG_SERVER",
        message: `the container "${container.name}" has no program "buildctl"`,
        hint: expect.stringMatching(/./),
      },
    });
  });

  test("by id, and by both schemes, it is the same runner", async () => {
    await using container = await runTestContainer();
    const handles = await Promise.all([container.name, container.id, container.id.slice(0, 12)].map(provision));
    const other = await driver.provision(parseDockerTarget(parseRunnerUrl(`container+docker://${container.name}`)), {});
    expect([...handles, other]).toEqual(Array(4).fill(handles[0]));
    expect(handles[0]).toEqual({
      driver: "docker",
      id: container.id,
      owned: false,
      labels: {},
      endpoint: { docker: container.client.endpoint, container: container.id, name: container.name },
    });
  });

  test("diagnostics of a relay that died: its exit code and standard error", async () => {
    await using container = await runTestContainer();
    const connection = await driver.connect(await provision(container.name), {});
    connection.stream.resume().write("DIE\n");
    await connection.closed;
    expect(await connection.diagnostics()).toEqual({
      summary: `the container "${container.name}" is running`,
      oomKilled: false,
      startedAt: expect.any(String),
      exitCode: 7,
      lastOutput: "the conformance peer was told to die\n",
    });
  });

  test("diagnostics of a container that was killed: its exit code and the end of its log", async () => {
    await using container = await runTestContainer();
    const connection = await driver.connect(await provision(container.name), {});
    connection.stream.resume().write("ECHO\n");
    // It may be slower to its first word than we are to a relay.
    await expect.poll(() => readLog(container.name)).toContain("ready");
    await container.act("kill");
    await connection.closed;
    expect(await connection.diagnostics()).toMatchObject({
      summary: expect.stringContaining("it ended with exit code 137"),
      exitCode: 137,
      oomKilled: false,
      lastOutput: "the conformance peer is ready\n",
    });
    await container.remove();
    expect(await connection.diagnostics()).toMatchObject({ summary: `the container "${container.name}" is gone` });
  });

  test.each([
    ["with a terminal", true, ["out\r\n", "err\r\n", "ümläut\r\n"]],
    ["without one", false, ["out\n", "err\n", "ümläut\n"]],
  ])("the log of a container %s", async (_kind, tty, expected) => {
    await using container = await runTestContainer({
      tty,
      command: ["sh", "-c", "echo out; echo err >&2; echo ümläut; exec sleep 3600"],
    });
    const handle = await provision(container.name);
    let text = "";
    for await (const chunk of driver.logs?.(handle, { follow: true }) ?? []) {
      text += chunk;
      if (text.length >= expected.join("").length) break;
    }
    // Without a terminal there are two streams, and nobody promises which of them comes first.
    expect(text.split(/(?<=\n)/).toSorted()).toEqual(expected.toSorted());
  });

  test("inspect tells image, start, and how it ended", async () => {
    await using container = await runTestContainer();
    const handle = await provision(container.name);
    expect(await driver.inspect?.(handle, {})).toMatchObject({
      status: "running",
      image: expect.stringContaining("anyrunner-test-peer"),
      startedAt: expect.stringMatching(/^20/),
      details: { name: container.name, state: "running", restarts: 0 },
    });
    await container.act("pause");
    expect(await driver.inspect?.(handle, {})).toMatchObject({ status: "stopped", details: { state: "paused" } });
    await container.act("unpause");
    await container.act("kill");
    expect(await driver.inspect?.(handle, {})).toMatchObject({ status: "stopped", exitCode: 137, oomKilled: false });
  });
});

describe("without a daemon", () => {
  const target = (query: string) => parseDockerTarget(parseRunnerUrl(`docker-container://engine?${query}`));

  test.each([
    ["host=unix:///no/such.sock", "CONNECTION_REFUSED", "unix:///no/such.sock (flag ?host=)"],
    ["host=ssh://no-such-host.invalid", "NAME_NOT_RESOLVED", "ssh://no-such-host.invalid"],
    ["context=no-such-context", "INVALID_CONFIG", "no-such-context"],
    ["host=tcp://no-such-host.invalid:2375", "NAME_NOT_RESOLVED", "no-such-host.invalid"],
  ])("%s is reported by probe and thrown by provision as %s", async (query, code, words) => {
    expect(await driver.probe(target(query), {})).toMatchObject({
      available: false,
      code,
      reason: expect.stringContaining(words),
      hint: expect.stringMatching(/./),
    });
    await expect(driver.provision(target(query), {})).rejects.toMatchObject({ code });
  });

  test("settings give the environment", async () => {
    const elsewhere = createDockerDriver({ env: { DOCKER_HOST: "unix:///no/such.sock" } });
    expect(await elsewhere.probe(target(""), {})).toMatchObject({ code: "CONNECTION_REFUSED", reason: expect.stringContaining("variable DOCKER_HOST") });
  });

  test("plain TCP to another machine is warned of, once, when it is provisioned", async () => {
    const fresh = createDockerDriver();
    const events: RunnerEvent[] = [];
    const report = (event: RunnerEvent) => void events.push(event);
    for (const host of ["tcp://no-such-host.invalid:2375", "tcp://no-such-host.invalid:2375", "tcp://127.0.0.1:1"]) {
      await fresh.probe(target(`host=${host}`), { report });
      await fresh.provision(target(`host=${host}`), { report }).catch(() => undefined);
    }
    expect(events).toEqual([
      { type: "warning", id: "plaintext-docker-host", message: expect.stringContaining("tcp://no-such-host.invalid:2375"), hint: expect.stringMatching(/./) },
    ]);
  });

  test("a handle for a daemon that is gone is a typed error everywhere", async () => {
    const handle: DockerHandle & RunnerHandle = {
      driver: "docker",
      id: "1",
      owned: false,
      labels: {},
      endpoint: { docker: { host: "unix:///no/such.sock", from: { kind: "default", name: "socket" } }, container: "1", name: "engine" },
    };
    await expect(driver.connect(handle, {})).rejects.toMatchObject({ code: "CONNECTION_REFUSED" });
    await expect(driver.inspect?.(handle, {})).rejects.toMatchObject({ code: "CONNECTION_REFUSED" });
    await expect(driver.logs?.(handle, {})[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "CONNECTION_REFUSED" });
  });
});
