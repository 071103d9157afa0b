import { once } from "node:events";
import { mkdir, stat } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";

import type { RunnerEvent } from "@anyrunner/core";
import { callUnary, CLIENT_METADATA_HEADER, clientMetadataHeader, Control, type Http2Connection } from "@anyrunner/protocol";
import { createEngineDouble, doubleRunner, expectNothingLeft, takeInventory, type EngineDouble, type EngineDoubleOptions } from "@anyrunner/testkit";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { serveBridge, type Bridge, type ServeBridgeOptions } from "./serve-bridge.ts";
import { removeSocketFolder } from "./socket-folder.ts";
import { createMiddlebox, dialBridge, openBridgeConnection, openBridgeSession, type Middlebox } from "./test-bridge.fixture.ts";

let engine: EngineDouble;
let bridge: Bridge;
let events: RunnerEvent[];
beforeEach(() => {
  events = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await bridge.close();
  await engine.kill();
});

const report = (event: RunnerEvent) => void events.push(event);
const warnings = () => events.flatMap((event) => (event.type === "warning" ? [event.id] : []));

async function start(options: Partial<ServeBridgeOptions> = {}, double: EngineDoubleOptions = {}): Promise<void> {
  engine = createEngineDouble(double);
  bridge = await serveBridge({ runner: doubleRunner(engine), report, ...options });
}

async function startBehindMiddlebox(options: Partial<ServeBridgeOptions> = {}): Promise<Middlebox> {
  engine = createEngineDouble();
  const box = await createMiddlebox(() => engine.dial());
  bridge = await serveBridge({ runner: box.runner, report, ...options });
  return box;
}

const version = { data: { version: "v0.21.8" } };

describe("clients", () => {
  test("a session: its requests run on the shared connection, its attachables on their own", async () => {
    await start();
    const session = await openBridgeSession(bridge, { onTelemetry: () => {} });
    expect(await session.query({ query: "{ version }" })).toEqual(version);
    const [client] = engine.clients.values();
    await client?.attachment?.calls.checkHealth();
    expect(bridge.counts()).toMatchObject({ shared: 1, spliced: 1 });
    expect(engine.streamCount()).toBe(2);
    await session.close();
    await expect.poll(() => bridge.counts()).toEqual({ clients: 0, requests: 0, shared: 1, spliced: 0 });
    expect(warnings()).toEqual([]);
  });

  test("many sessions at once share one connection", async () => {
    await start();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => openBridgeSession(bridge)));
    const answers = await Promise.all(sessions.flatMap((session) => Array.from({ length: 5 }, () => session.query({ query: "{ version }" }))));
    expect(answers).toEqual(Array(100).fill(version));
    expect([bridge.counts().shared, engine.streamCount()]).toEqual([1, 21]);
    await Promise.all(sessions.map((session) => session.close()));
    expect(engine.clients.size).toBe(0);
  });

  test("more requests than a connection takes get another, and no more", async () => {
    await start({}, { attachWaitMs: 60_000 });
    const connections = Array.from({ length: 3 }, () => openBridgeConnection(bridge));
    const ask = (connection: Http2Connection, times: number) =>
      Array.from({ length: times }, () => callUnary(connection, Control.info, {}).catch(() => undefined));
    // As many as the engine takes on one; the bridge itself has asked once.
    engine.setFaults([{ at: "info", action: "hang" }]);
    connections.forEach((connection, i) => ask(connection, [100, 100, 50][i] as number));
    await expect.poll(() => engine.count("info")).toBe(251);
    expect(bridge.counts()).toMatchObject({ requests: 250, shared: 1 });
    engine.setFaults([]);
    const answers = await Promise.all(connections.flatMap((connection) => ask(connection, 50)));
    expect(answers.every((answer) => answer?.buildkitVersion?.version === "v0.21.8")).toBe(true);
    expect(bridge.counts()).toMatchObject({ requests: 250, shared: 2 });
    for (const connection of connections) connection.destroy();
    await expect.poll(() => bridge.counts()).toMatchObject({ requests: 0, clients: 0 });
  });

  test("HTTP/1.1 has a connection of its own", async () => {
    await start();
    const answer = await new Promise<string>((resolve, reject) => {
      httpRequest({ path: "/query", method: "POST", createConnection: () => dialBridge(bridge) as never }, (response) => resolve(text(response)))
        .on("error", reject)
        .end("{}");
    });
    expect(answer).toContain("metadata");
    await expect.poll(() => engine.streamCount()).toBe(1);
  });

  test("one that leaves without a word, and one that talks nonsense, do no harm", async () => {
    await start();
    const silent = dialBridge(bridge);
    await once(silent, "connect");
    silent.destroy();
    const noisy = dialBridge(bridge);
    noisy.write("\x16\x03\x01nonsense\r\n\r\n");
    expect(await text(noisy)).toMatch(/^HTTP\/1.1 400/);
    const half = dialBridge(bridge);
    half.end("PRI * HTTP");
    half.resume();
    await once(half, "close");
    await expect.poll(() => bridge.counts()).toMatchObject({ clients: 0, spliced: 0 });
    expect(warnings()).toEqual([]);
  });
});

describe("upstream connections", () => {
  test("one that a middlebox cut while it was idle is dialled anew by the next request", async () => {
    const box = await startBehindMiddlebox();
    const connection = openBridgeConnection(bridge);
    await callUnary(connection, Control.info, {});
    box.cut();
    expect((await callUnary(connection, Control.info, {})).buildkitVersion?.version).toBe("v0.21.8");
    expect(box.dialled()).toBe(2);
    connection.destroy();
  });

  test("one that a middlebox has forgotten is found out by a ping before a request is trusted to it", async () => {
    let now = 0;
    const clock = { now: () => now, sleep: async () => {} };
    const box = await startBehindMiddlebox({ clock });
    const connection = openBridgeConnection(bridge);
    await callUnary(connection, Control.info, {});
    box.forget();
    now += 60_000;
    expect((await callUnary(connection, Control.info, {})).buildkitVersion?.version).toBe("v0.21.8");
    expect(box.dialled()).toBe(2);
    // The bridge's own questions are two; the forgotten connection was asked nothing.
    expect(engine.count("info")).toBe(4);
    connection.destroy();
  });

  test("a middlebox that cuts what is silent doesn't cut what waits for an answer", async () => {
    const { promise: go, resolve: answerNow } = Promise.withResolvers<void>();
    const box = await startBehindMiddlebox({ keepaliveMs: 5 });
    const session = await openBridgeSession(bridge);
    engine.setFaults([{ at: "query", action: { wait: go } }]);
    const answer = session.query({ query: "{ version }" });
    await expect.poll(() => engine.count("query")).toBe(1);
    box.cutSilent();
    for (let round = 0; round < 5; round++) {
      // The engine itself asks its session's clients every five seconds.
      for (const client of engine.clients.values()) await client.attachment?.calls.checkHealth();
      await expect.poll(() => box.silentCount()).toBe(0);
      box.cutSilent();
    }
    answerNow();
    expect(await answer).toEqual(version);
    expect(box.count()).toBe(2);
    await session.close();
  });

  test("one that nobody uses is closed, and dialled when somebody does", async () => {
    await start({ idleMs: 5 });
    await expect.poll(() => [bridge.counts().shared, engine.streamCount()]).toEqual([0, 0]);
    const connection = openBridgeConnection(bridge);
    expect((await callUnary(connection, Control.info, {})).buildkitVersion?.version).toBe("v0.21.8");
    connection.destroy();
    await expect.poll(() => engine.streamCount()).toBe(0);
  });

  test("a request that runs when its connection breaks is not sent again", async () => {
    const box = await startBehindMiddlebox();
    engine.setFaults([{ at: "query", action: "hang" }]);
    const session = await openBridgeSession(bridge);
    const answer = session.query({ query: "{ version }" }).catch((error: unknown) => error);
    await expect.poll(() => engine.count("query")).toBe(1);
    box.cut();
    expect(await answer).toMatchObject({ code: "CONNECTION_LOST" });
    expect(engine.count("query")).toBe(1);
    await session.close();
  });

  test("an engine that is gone is told as such, to gRPC and to others, and found again", async () => {
    await start({ clock: { now: () => 0, sleep: () => Promise.reject(new Error("no time")) } });
    const connection = openBridgeConnection(bridge);
    engine.setFaults([{ at: "stream", action: "cut" }]);
    const before = await bridgeDown(connection);
    expect(before).toEqual(["UNAVAILABLE", 503]);
    engine.setFaults([]);
    expect((await callUnary(connection, Control.info, {})).buildkitVersion?.version).toBe("v0.21.8");
    connection.destroy();
  });
});

/** What a gRPC call and a query get while no engine can be reached. */
async function bridgeDown(connection: ReturnType<typeof openBridgeConnection>): Promise<readonly unknown[]> {
  // The connection that stands is broken by the first.
  engine.setFaults([
    { at: "stream", action: "cut" },
    { at: "info", action: "cut", times: 1 },
  ]);
  await callUnary(connection, Control.info, {}).catch(() => {});
  const status = await callUnary(connection, Control.info, {}).catch((error: { statusName?: string; status?: number }) =>
    error.status === 14 ? "UNAVAILABLE" : error,
  );
  const answer = await connection.request({ path: "/query", body: "{}" });
  answer.body.resume();
  return [status, answer.status];
}

test("connections that reach another engine than the first are refused, by affinity", async () => {
  await start({ idleMs: 1 }, { info: (connection) => ({ revision: connection === 0 ? "left" : "right" }) });
  await expect.poll(() => bridge.counts().shared).toBe(0);
  const connection = openBridgeConnection(bridge);
  await expect(callUnary(connection, Control.info, {})).rejects.toMatchObject({ status: 9, message: expect.stringContaining("affinity") as string });
  expect(warnings()).toEqual(["bridge-ENGINE_CHANGED"]);
  connection.destroy();
});

test("two engines behind an address are found out at the start where it dials twice, and nothing stays open", async () => {
  const starting = start({ dialTwice: true }, { info: (connection) => ({ revision: connection === 0 ? "left" : "right" }) });
  await expect(starting).rejects.toMatchObject({ code: "ENGINE_CHANGED", hint: expect.stringContaining("affinity") as string });
  await expect.poll(() => engine.streamCount()).toBe(0);
});

test("one engine that is dialled twice serves as always", async () => {
  await start({ dialTwice: true });
  const connection = openBridgeConnection(bridge);
  expect(await callUnary(connection, Control.info, {})).toMatchObject({ buildkitVersion: { version: "v0.21.8" } });
  connection.destroy();
});

test("a query whose session attached itself elsewhere is answered by the engine, and explained by affinity", async () => {
  await start({}, { attachWaitMs: 1 });
  const connection = openBridgeConnection(bridge);
  const metadata = clientMetadataHeader({ clientId: "c", sessionId: "s", clientSecretToken: "t", clientVersion: "v0.21.8" });
  const { status, body } = await connection.request({ path: "/query", headers: { [CLIENT_METADATA_HEADER]: metadata }, body: '{"query":"{ version }"}' });
  expect([status, await text(body)]).toEqual([200, expect.stringContaining("waiting for client session attachables")]);
  expect(events).toMatchObject([{ id: "bridge-ENGINE_CHANGED", hint: expect.stringContaining("affinity") as string }]);
  connection.destroy();
});

describe("where it listens", () => {
  test("by default: a socket for this user alone, in a folder that goes with it", async () => {
    await start({ env: {} });
    const path = bridge.url.replace("unix://", "");
    expect([(await stat(path)).mode & 0o777, (await stat(dirname(path))).mode & 0o777]).toEqual([0o600, 0o700]);
    await bridge.close();
    await expect(stat(dirname(path))).rejects.toThrow(/ENOENT/);
  });

  const tcp = (host: string) => ({ kind: "tcp", host, port: 0 }) as const;
  test.each([
    ["plain TCP without consent", { listen: tcp("127.0.0.1") }],
    ["plain TCP beyond this machine", { listen: tcp("0.0.0.0"), insecureTcp: true }],
    ["TLS without certificates", { listen: { kind: "tls", host: "127.0.0.1", port: 0 } as const }],
  ])("%s is refused, and nothing is dialled", async (_, options) => {
    await start();
    const dialled = engine.count("stream");
    await expect(serveBridge({ runner: doubleRunner(engine), ...options })).rejects.toMatchObject({ code: "USAGE" });
    expect(engine.count("stream")).toBe(dialled);
  });

  test("an address that is taken leaves nothing behind", async () => {
    await start({ listen: tcp("127.0.0.1"), insecureTcp: true });
    await expect(serveBridge({ runner: doubleRunner(engine), listen: bridge.address, insecureTcp: true })).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    await expect.poll(() => engine.streamCount()).toBe(1);
  });

  test("a folder that can't be made leaves nothing behind", async () => {
    await start();
    vi.stubEnv("TMPDIR", "/no/such/folder");
    await expect(serveBridge({ runner: doubleRunner(engine), env: {} })).rejects.toThrow(/ENOENT/);
    await expect.poll(() => engine.streamCount()).toBe(1);
  });

  test("what can't be cleared away of a killed bridge is left", async () => {
    await start({ env: {} });
    const folder = join(dirname(bridge.url.replace("unix://", "")), "anyrunner-bridge-killed");
    await mkdir(join(folder, "engine.sock"), { recursive: true });
    await removeSocketFolder(`unix://${folder}/engine.sock`);
    expect((await stat(folder)).isDirectory()).toBe(true);
  });
});

test("an end in the middle of everything leaves nothing behind", async () => {
  const before = await takeInventory();
  await start();
  const session = await openBridgeSession(bridge, { onTelemetry: () => {} });
  engine.setFaults([{ at: "query", action: "hang" }]);
  const answer = session.query({ query: "{ version }" }).catch((error: unknown) => error);
  await expect.poll(() => engine.count("query")).toBe(1);
  await bridge.close({ graceMs: 0 });
  expect(await answer).toBeInstanceOf(Error);
  await session.close();
  await expectNothingLeft(before, { extra: () => engine.streamCount() });
});

test("hundreds of short clients leave no descriptor behind", async () => {
  await start();
  const warm = await openBridgeSession(bridge);
  await warm.close();
  const before = await takeInventory();
  for (let round = 0; round < 30; round++) {
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const session = await openBridgeSession(bridge);
        await session.query({ query: "{ version }" });
        await session.close();
      }),
    );
  }
  await expectNothingLeft(before, { extra: () => engine.streamCount() - 1 });
  expect(bridge.counts()).toEqual({ clients: 0, requests: 0, shared: 1, spliced: 0 });
  expect(engine.count("query")).toBe(300);
});
