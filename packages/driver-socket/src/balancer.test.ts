import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createRegistry, openRunner, type Runner, type RunnerEvent } from "@anyrunner/core";
import { openSession, type EngineSession } from "@anyrunner/engine";
import { createEngineDouble, freePort, type EngineDouble } from "@anyrunner/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";

import { startBalancer, startClientMachine, type Balancer } from "./balancer.fixture.ts";
import { createCertificates } from "./certs/index.ts";
import { createSocketDriver, type SocketSettings } from "./driver.ts";

const SESSIONS = 100;
const MACHINES = 10;

let folder: string;
const cleanups: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
  await createCertificates({ folder, hosts: ["engines.test"] });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

// Only Linux has the whole of 127.0.0.0/8 without asking.
describe.skipIf(process.platform !== "linux")("two engines behind a balancer with TLS", () => {
  test("a hundred sessions with affinity pass, half of them while one engine is drained", async () => {
    const [one, two] = await startEngines();
    const balancer = await startFront([one, two], true);
    const machines = await Promise.all(Array.from({ length: MACHINES }, (_, index) => openFromMachine(balancer, `127.0.0.${10 + index}`)));
    const ask = async (index: number) => {
      const session = await openSession(machines[index % MACHINES] as Runner, { env: {}, cwd: "/" });
      const name = await nameOf(session);
      await session.close();
      return name;
    };
    const round = () => Promise.all(Array.from({ length: SESSIONS / 2 }, (_, index) => ask(index)));
    expect(new Set(await round())).toEqual(new Set(["one", "two"]));
    await vi.waitFor(() => expect(one.engine.streamCount() + two.engine.streamCount()).toBe(0), { timeout: 60_000 });

    const living = await openSession(await openFromMachine(balancer, "127.0.0.100"), { env: {}, cwd: "/" });
    const [drained, other] = (await nameOf(living)) === "one" ? [one, "two"] : [two, "one"];
    balancer.drain(drained.port);
    expect(new Set(await round())).toEqual(new Set([other]));
    expect(await nameOf(living)).not.toBe(other);
    await living.close();
    await vi.waitFor(() => expect(one.engine.streamCount() + two.engine.streamCount()).toBe(0), { timeout: 60_000 });
  });

  test("without affinity each of a hundred fails after one attempt, naming it", async () => {
    const engines = await startEngines();
    const balancer = await startFront(engines, false);
    const runner = await openTlsRunner(balancer.port);
    const retries: string[] = [];
    const report = (event: RunnerEvent) => void (event.type === "retry" && retries.push(event.message));
    for (let count = 0; count < SESSIONS; count++) {
      await expect(openSession(runner, { env: {}, cwd: "/", report })).rejects.toMatchObject({
        code: "ENGINE_CHANGED",
        retryable: false,
        hint: expect.stringContaining("affinity"),
      });
    }
    expect(retries).toEqual([]);
    await vi.waitFor(() => expect(engines[0].engine.streamCount() + engines[1].engine.streamCount()).toBe(0), { timeout: 60_000 });
  });

  test("a name with several addresses leads all streams of a session to one of them", async () => {
    const [one, two] = await startEngines();
    const addresses = ["127.0.0.21", "127.0.0.22"] as const;
    const port = await freePort();
    for (const [index, { port: enginePort }] of [one, two].entries()) {
      const front = await startBalancer({ ports: [enginePort], certificates: folder, affinity: false, host: addresses[index], port });
      cleanups.push(front.close);
    }
    let asked = 0;
    // As DNS does it that rotates its answers.
    const resolveName = async () => (asked++ % 2 === 0 ? addresses : addresses.toReversed()).map((address) => ({ address, family: 4 }));
    const runner = await openTlsRunner(port, { resolveName }, "engines.test");
    const names: string[] = [];
    for (let count = 0; count < 4; count++) {
      const session = await openSession(runner, { env: {}, cwd: "/" });
      names.push(await nameOf(session));
      await session.close();
      await vi.waitFor(() => expect(one.engine.streamCount() + two.engine.streamCount()).toBe(0), { timeout: 60_000 });
    }
    expect(names).toEqual(["one", "two", "one", "two"]);
    await one.engine.kill();
    expect(await runner.connect().then(({ diagnostics, stream }) => diagnostics().finally(() => stream.destroy()))).toMatchObject({
      summary: expect.stringContaining(`tls://engines.test:${port} (at 127.0.0.2`),
    });
  });
});

interface RunningEngine {
  readonly engine: EngineDouble;
  readonly port: number;
}

async function startEngines(): Promise<readonly [RunningEngine, RunningEngine]> {
  const start = async (name: string): Promise<RunningEngine> => {
    const engine = createEngineDouble({ info: { revision: name }, answer: () => ({ data: { name } }) });
    cleanups.push(() => engine.kill());
    const url = await engine.listen();
    return { engine, port: Number(url.split(":").at(-1)) };
  };
  return [await start("one"), await start("two")];
}

async function startFront(engines: readonly RunningEngine[], affinity: boolean): Promise<Balancer> {
  const balancer = await startBalancer({ ports: engines.map(({ port }) => port), certificates: folder, affinity });
  cleanups.push(balancer.close);
  return balancer;
}

async function openFromMachine(balancer: Balancer, address: string): Promise<Runner> {
  const machine = await startClientMachine({ address, port: balancer.port });
  cleanups.push(machine.close);
  return openTlsRunner(machine.port);
}

function openTlsRunner(port: number, settings: SocketSettings = {}, host = "127.0.0.1"): Promise<Runner> {
  const driver = createSocketDriver(settings);
  const registry = createRegistry([{ name: "socket", schemes: ["tls"], origin: "test", load: async () => ({ driver }) }]);
  const files = `ca_path=${folder}/ca.pem&cert_path=${folder}/client.pem&key_path=${folder}/client.pem`;
  return openRunner(`tls://${host}:${port}?${files}&server_name=engines.test`, { registry });
}

async function nameOf(session: EngineSession): Promise<string> {
  const { data } = await session.query({ query: "{name}" });
  return (data as { readonly name: string }).name;
}
