import { createEngineDouble, type EngineDouble, type EngineDoubleOptions } from "@anyrunner/testkit";
import { afterEach, describe, expect, test } from "vitest";

import type { OpenSessionOptions } from "./open-session-options.ts";
import { openSession, type EngineSession } from "./session.ts";
import { runnerOn } from "./test-runner.fixture.ts";
import type { TelemetryEvent } from "./telemetry/batch.ts";

const doubles: EngineDouble[] = [];
const sessions: EngineSession[] = [];

afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
  for (const double of doubles.splice(0)) {
    await double.kill();
    await settled(double);
  }
});

/** No time passes but by sleeping, and sleeping takes none. */
const instantClock = () => {
  let now = 0;
  return { now: () => now, sleep: async (ms: number) => void (now += ms) };
};

function double(options: EngineDoubleOptions = {}): EngineDouble {
  const made = createEngineDouble(options);
  doubles.push(made);
  return made;
}

async function open(engine: EngineDouble, options: Partial<OpenSessionOptions> = {}): Promise<EngineSession> {
  const session = await openSession(await runnerOn(() => engine.dial()), { env: {}, cwd: import.meta.dirname, clock: instantClock(), ...options });
  sessions.push(session);
  return session;
}

const settled = (engine: EngineDouble, ms = 50) => expect.poll(() => engine.streamCount(), { interval: ms }).toBe(0);

describe("a session", () => {
  test("checks the engine, attaches itself, asks, shuts down and leaves no stream", async () => {
    const engine = double();
    const session = await open(engine);
    expect(session.engine).toEqual({ package: "github.com/dagger/dagger", version: "v0.21.8", name: "engine-double", cpus: 2 });
    expect(await session.query({ query: "{version}" })).toEqual({ data: { version: "v0.21.8" } });
    await session.close();
    expect(await session.ended).toEqual({ kind: "closed" });
    expect(engine.count("shutdown")).toBe(1);
    expect(engine.count("stream")).toBe(2);
    await settled(engine);
  });

  test("states the engine's own version unless it is told another, and its labels and stable id", async () => {
    const engine = double({ info: { version: "v0.21.8+abcdef12" } });
    await open(engine, { stableId: "stable", labels: { "dagger.io/sdk.name": "nodejs" } });
    expect([...engine.clients.values()][0]?.metadata).toMatchObject({
      clientVersion: "v0.21.8",
      clientStableId: "stable",
      labels: { "dagger.io/sdk.name": "nodejs" },
      clientId: expect.stringMatching(/^[a-z0-9]{25}$/),
    });
    await open(engine, { clientVersion: "v0.20.1" });
    expect([...engine.clients.values()].map((client) => client.metadata.clientVersion)).toContain("v0.20.1");
  });

  test("hands on spans and logs, and reads them to the end", async () => {
    const engine = double();
    const seen: TelemetryEvent["type"][] = [];
    const session = await open(engine, { onTelemetry: ({ type }) => seen.push(type) });
    await session.query({ query: "{version}" });
    await session.close();
    expect(engine.count("telemetry")).toBe(3);
  });
});

describe("permanent failures surface after one attempt", () => {
  test.each<[string, EngineDoubleOptions, string, RegExp]>([
    ["another package", { info: { package: "github.com/moby/buildkit" } }, "WRONG_SERVER", /moby\/buildkit/],
    ["an engine that is too old", { info: { version: "v0.9.3" } }, "VERSION_MISMATCH", /v0\.9\.3/],
    [
      "a server without Info",
      { faults: [{ at: "info", action: { grpc: "UNIMPLEMENTED", message: "unknown service" } }] },
      "WRONG_SERVER",
      /not as a Dagger engine/,
    ],
    [
      "text instead of HTTP/2",
      { faults: [{ at: "stream", action: { bytes: 'OCI runtime exec failed: exec: "buildctl": not found' } }] },
      "WRONG_SERVER",
      /buildctl/,
    ],
    ["a plain web server", { faults: [{ at: "stream", action: { bytes: "HTTP/1.1 400 Bad Request\r\n\r\n" } }] }, "WRONG_SERVER", /HTTP\/1\.1 400/],
    [
      "a client that is too old",
      { faults: [{ at: "upgrade", action: { status: 500, text: "incompatible client version v0.18.0" } }] },
      "VERSION_MISMATCH",
      /from v0\.19\.0 on/,
    ],
    [
      "a refused token",
      { faults: [{ at: "upgrade", action: { status: 500, text: 'client "x" already exists with different secret token' } }] },
      "AUTH_FAILED",
      /secret token/,
    ],
  ])("%s", async (_, options, code, message) => {
    const engine = double(options);
    const retries: number[] = [];
    await expect(open(engine, { report: (event) => event.type === "retry" && retries.push(event.attempt) })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(retries).toEqual([]);
    await settled(engine);
  });
});

describe("an engine that is still starting", () => {
  test("is tried again until it answers", async () => {
    const engine = double({ faults: [{ at: "info", action: { grpc: "UNAVAILABLE", message: "starting" }, times: 3 }] });
    const retries: number[] = [];
    await open(engine, { report: (event) => event.type === "retry" && retries.push(event.attempt) });
    expect(retries).toEqual([1, 2, 3]);
    expect(engine.count("info")).toBe(4);
  });

  test("is given up when the budget is spent, with the last reason", async () => {
    const engine = double({ faults: [{ at: "info", action: { grpc: "UNAVAILABLE", message: "still starting" } }] });
    await expect(open(engine, { connectBudgetMs: 2000 })).rejects.toMatchObject({ code: "TIMEOUT", message: expect.stringContaining("still starting") });
    await settled(engine);
  });

  test("can be left: an abort rejects and closes what was dialled", async () => {
    const engine = double({ faults: [{ at: "info", action: "hang" }] });
    const controller = new AbortController();
    const opening = open(engine, { signal: controller.signal });
    await expect.poll(() => engine.count("info")).toBe(1);
    controller.abort();
    await expect(opening).rejects.toMatchObject({ code: "ABORTED" });
    await settled(engine);
  });
});

test("a stream for the attachables that died while the engine was starting is dialled anew, once", async () => {
  const engine = double({ faults: [{ at: "upgrade", action: "cut", times: 1 }] });
  const session = await open(engine);
  expect(await session.query({ query: "{version}" })).toEqual({ data: { version: "v0.21.8" } });
  expect(engine.count("upgrade")).toBe(2);
  engine.setFaults([{ at: "upgrade", action: "cut" }]);
  await expect(open(engine)).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  expect(engine.count("upgrade")).toBe(4);
});

describe("a session that breaks", () => {
  test.each(["cut", "die"] as const)("in the middle of a query (%s): the query and the session fail with the state of the runner", async (action) => {
    const engine = double({ faults: [{ at: "query", action }] });
    const session = await open(engine);
    await expect(session.query({ query: "{version}" })).rejects.toMatchObject({
      code: "CONNECTION_LOST",
      message: expect.stringContaining("the test engine is gone"),
    });
    expect(await session.ended).toMatchObject({ kind: "lost", error: { code: "CONNECTION_LOST", details: { exitCode: 137 } } });
    await expect(session.query({ query: "{version}" })).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await settled(engine);
  });

  test("between the halves of an answer", async () => {
    const engine = double({ faults: [{ at: "answer", action: "cut" }] });
    const session = await open(engine);
    await expect(session.query({ query: "{version}" })).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  });

  test("on the attachables' stream alone", async () => {
    const engine = double({ faults: [{ at: "attached", action: "cut" }] });
    const session = await open(engine);
    await session.query({ query: "{version}" }).catch(() => {});
    expect(await session.ended).toMatchObject({ kind: "lost", error: { code: "CONNECTION_LOST" } });
    await settled(engine);
  });

  test.each<[string, EngineDoubleOptions]>([
    ["shutdown", { faults: [{ at: "shutdown", action: "hang" }] }],
    ["telemetry", { faults: [{ at: "telemetry", action: "hang" }] }],
  ])("at its end: a %s that hangs has a budget and is only reported", async (_, options) => {
    const engine = double(options);
    const warnings: string[] = [];
    const session = await open(engine, {
      shutdownBudgetMs: 100,
      onTelemetry: () => {},
      report: (event) => event.type === "warning" && warnings.push(event.id),
    });
    expect(await session.query({ query: "{version}" })).toEqual({ data: { version: "v0.21.8" } });
    await session.close();
    expect(await session.ended).toEqual({ kind: "closed" });
    expect(warnings).toEqual(["shutdown"]);
    await settled(engine);
  });
});

test("two engines behind one address fail at once, naming affinity", async () => {
  const engines = [double({ info: { revision: "one" } }), double({ info: { revision: "two" } })] as const;
  let dials = 0;
  const runner = await runnerOn(() => engines[dials++ % 2 === 0 ? 0 : 1].dial());
  await expect(openSession(runner, { env: {}, cwd: "/" })).rejects.toMatchObject({ code: "ENGINE_CHANGED", hint: expect.stringContaining("affinity") });
  for (const engine of engines) await settled(engine);
});
