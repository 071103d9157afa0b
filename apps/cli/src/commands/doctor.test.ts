import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { openHandleStore, type StoredHandle } from "@anyrunner/config";
import { createDockerClient, resolveDockerEndpoint } from "@anyrunner/docker-endpoint";
import { createEngineDouble, ensureBusyboxImage, type EngineDouble, type EngineDoubleOptions } from "@anyrunner/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { createCliHarness, streamsClosed, type CliHarness } from "../test-cli.ts";

interface SeenCheck {
  readonly id: string;
  readonly status: string;
  readonly detail: string;
  readonly remedy?: string;
  readonly ms?: number;
}

let cli: CliHarness;
const doubles: EngineDouble[] = [];
beforeAll(async () => {
  cli = await createCliHarness();
});
afterAll(() => cli.remove());
afterEach(async () => {
  for (const double of doubles.splice(0)) {
    await streamsClosed(double);
    await double.kill();
  }
});

const NO_DOCKER = { DOCKER_HOST: "tcp://127.0.0.1:1" };

async function startDouble(options: EngineDoubleOptions = {}): Promise<string> {
  const double = createEngineDouble({
    answer: ({ query }) => (query.includes("http(") ? { errors: [{ message: "no such host" }] } : { data: { defaultPlatform: "linux/amd64" } }),
    ...options,
  });
  doubles.push(double);
  return double.listen();
}

async function diagnose(
  args: readonly string[],
  env: Readonly<Record<string, string>> = NO_DOCKER,
): Promise<{ exitCode: number; checks: Record<string, SeenCheck> }> {
  const { exitCode, stdout } = await cli.run(["doctor", "--json", ...args], { env });
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: readonly SeenCheck[] };
  expect(exitCode).toBe(ok ? 0 : 1);
  for (const check of checks) if (check.status === "failed") expect(check.remedy, check.id).toMatch(/./);
  return { exitCode, checks: Object.fromEntries(checks.map((check) => [check.id, check])) };
}

test("an engine that answers: each step with its time, and nothing is wrong", async () => {
  const { exitCode, checks } = await diagnose([await startDouble()]);
  expect(exitCode).toBe(0);
  expect(
    Object.values(checks)
      .filter(({ status }) => status === "ok")
      .map(({ id }) => id),
  ).toEqual(
    expect.arrayContaining([
      "node",
      "config.project",
      "choice",
      "candidate.socket",
      "runner",
      "engine.dial",
      "engine.info",
      "engine.window",
      "session.open",
      "session.query",
      "session.close",
    ]),
  );
  for (const id of ["engine.dial", "engine.info", "session.open", "session.query"]) expect(checks[id]?.ms).toBeTypeOf("number");
  expect(checks["session.query"]?.detail).toContain("linux/amd64");
  // Nobody needs Docker for this runner.
  expect(checks["docker.daemon"]).toMatchObject({ status: "warning" });
});

test("as text, with the verdict last", async () => {
  const { exitCode, stdout } = await cli.run(["doctor", await startDouble()], { env: NO_DOCKER });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^ok +engine\.info +engine v0\.21\.8 .* \[\d+ ms\]$/m);
  // What this machine lacks.
  const warnings = stdout.match(/^warning /gm)?.length ?? 0;
  const besides = warnings === 0 ? "" : `, ${warnings} warning${warnings === 1 ? "" : "s"}`;
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(`nothing is wrong${besides}`);
});

test.each<[string, EngineDoubleOptions, string, RegExp]>([
  ["another program", { info: { package: "github.com/moby/buildkit" } }, "engine.info", /WRONG_SERVER/],
  ["an engine that is too old", { info: { version: "v0.11.0" } }, "engine.info", /VERSION_MISMATCH/],
  ["an engine that refuses queries", { faults: [{ at: "query", action: { status: 500, text: "out of order" } }] }, "session.query", /out of order/],
])("%s", async (_, options, id, detail) => {
  const { exitCode, checks } = await diagnose([await startDouble(options)]);
  expect([exitCode, checks[id]]).toEqual([1, expect.objectContaining({ status: "failed", detail: expect.stringMatching(detail) })]);
});

test("nothing configured and no runtime: every reason, and every remedy", async () => {
  const { exitCode, checks } = await diagnose([], { ...NO_DOCKER, PATH: "" });
  expect([exitCode, checks["choice"], checks["docker.daemon"]?.status]).toEqual([
    1,
    expect.objectContaining({ status: "failed", detail: expect.stringContaining("NO_RUNNER"), remedy: expect.stringContaining("embedded://") }),
    "failed",
  ]);
});

test("a scheme that nobody knows, and a broken configuration", async () => {
  const { checks } = await diagnose(["dockr-container://x"]);
  expect(checks["choice"] ?? checks["candidates"]).toMatchObject({ detail: expect.stringMatching(/dockr-container/) });
  await writeFile(join(cli.home, "anyrunner.config.yaml"), "ruuner: x\n");
  try {
    const { checks: broken } = await diagnose([await startDouble()]);
    expect(broken["config.project"]).toMatchObject({ status: "failed", detail: expect.stringContaining('unknown key "ruuner"') });
  } finally {
    await writeFile(join(cli.home, "anyrunner.config.yaml"), "");
  }
});

test("a runner by what `ls` shows of it; one that isn't there", async () => {
  const url = await startDouble();
  const { stdout } = await cli.run(["inspect", "--json", url], { env: NO_DOCKER });
  const { handle } = JSON.parse(stdout) as { readonly handle: StoredHandle["handle"] };
  const id = "5d4ae5dad233";
  await openHandleStore({ env: { HOME: cli.home } }).remember({ url, handle: { ...handle, id } });
  const { exitCode, checks } = await diagnose([id]);
  expect([exitCode, checks["candidates"], checks["runner"], checks["session.query"]?.status]).toEqual([
    0,
    undefined,
    expect.objectContaining({ status: "ok", detail: expect.stringContaining(id) }),
    "ok",
  ]);
  const { checks: missing } = await diagnose(["no-such-runner"]);
  expect(missing["runner"]).toMatchObject({ status: "failed", detail: expect.stringContaining('there is no runner "no-such-runner"') });
});

test("the versions of the project are checked against the engine", async () => {
  await writeFile(join(cli.home, "dagger.json"), '{ "engineVersion": "v0.18.3" }');
  const { exitCode, checks } = await diagnose([await startDouble()]);
  await writeFile(join(cli.home, "dagger.json"), "{}");
  expect(exitCode).toBe(1);
  expect(checks["engine.version"]).toMatchObject({ status: "ok", detail: expect.stringContaining("v0.18.3 (module") });
  expect(checks["engine.window"]).toMatchObject({ status: "failed", detail: expect.stringContaining("v0.19.0") });
});

test("--fetch tells whether the engine reaches the world", async () => {
  const { checks } = await diagnose(["--fetch", "https://example.invalid/a?token=hunter2", await startDouble()]);
  expect(checks["session.fetch"]).toMatchObject({
    status: "failed",
    detail: expect.stringContaining("https://example.invalid"),
    remedy: expect.stringContaining("name resolution"),
  });
  expect(checks["session.resolve"]).toMatchObject({
    status: "failed",
    detail: "the engine finds no address for example.invalid",
    remedy: expect.stringContaining("DNS"),
  });
  expect(JSON.stringify(checks)).not.toContain("hunter2");
  expect(await cli.run(["doctor", "--fetch", "x", "tcp://h:1"])).toMatchObject({ exitCode: 2 });
});

describe.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")("a container (left out by ANYRUNNER_TEST_DOCKER=skip)", () => {
  test("that is dead: its exit code, its last words, and what it lacks", async () => {
    const name = `anyrunner-test-${randomUUID()}`;
    const docker = createDockerClient(await resolveDockerEndpoint({ env: {} }));
    const image = await ensureBusyboxImage();
    await docker.json({
      method: "POST",
      path: "/containers/create",
      query: { name },
      json: { Image: image, Cmd: ["sh", "-c", "echo the end is near; exit 3"] },
    });
    try {
      (await docker.request({ method: "POST", path: `/containers/${name}/start` })).body.resume();
      await text((await docker.request({ method: "POST", path: `/containers/${name}/wait` })).body);
      const { exitCode, checks } = await diagnose([`docker-container://${name}`], {});
      expect(exitCode).toBe(1);
      expect(checks["container"]).toMatchObject({ status: "failed", detail: expect.stringContaining("exit code 3") });
      expect(checks["container.log"]?.detail).toContain("the end is near");
      expect(checks["container.privileges"]).toMatchObject({ status: "failed", remedy: expect.stringContaining("--privileged") });
      expect(checks["container.state"]).toMatchObject({ status: "failed" });
    } finally {
      (await docker.request({ method: "DELETE", path: `/containers/${name}`, query: { force: true } })).body.resume();
      docker.close();
    }
  });
});

/** Stands in for Podman: one container, which was killed for lack of memory. */
const PODMAN = `#!/bin/sh
case "$*" in
  "container inspect"*) echo '[{"Id":"c0ffee","Name":"engine","Image":"i","State":{"Status":"exited","ExitCode":137,"OOMKilled":true}}]' ;;
  "logs"*) echo "its very last words" ;;
  "info"*) echo '{"host":{"os":"linux","security":{"rootless":true}},"store":{}}' ;;
  *) exit 1 ;;
esac
`;

test.skipIf(process.platform === "win32")("a dead container of Podman: how it ended, its log, and what Podman lacks", async () => {
  const bin = join(cli.home, "podman-bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "podman"), PODMAN, { mode: 0o755 });
  const env = { ...NO_DOCKER, PATH: `${bin}:${process.env["PATH"] ?? ""}` };
  const { exitCode, stdout } = await cli.run(["doctor", "podman-container://engine", "--json"], { env });
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly SeenCheck[] };
  const check = (id: string) => checks.find((each) => each.id === id);
  expect(exitCode).toBe(1);
  expect(check("runner")).toMatchObject({ status: "failed", detail: expect.stringMatching(/exit code 137 \(killed for lack of memory\)/) });
  expect(check("container.log")).toMatchObject({ status: "ok", detail: "its last words:\nits very last words" });
  expect(check("podman.privileges")).toMatchObject({ status: "warning", detail: expect.stringContaining("Podman is rootless") });
  expect(check("host.nat")).toBeDefined();
});
