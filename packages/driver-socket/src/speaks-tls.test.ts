import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createRegistry, openRunner, type RunnerEvent } from "@anyrunner/core";
import { openSession } from "@anyrunner/engine";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { createCertificates } from "./certs/index.ts";
import { createSocketDriver } from "./driver.ts";
import { speaksTls } from "./speaks-tls.ts";
import { startTlsServer } from "./tls-server.fixture.ts";

let folder: string;
const cleanups: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
  await createCertificates({ folder, hosts: ["127.0.0.1"] });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  ["that knows its clients by their certificates", {}],
  ["that takes everyone", { requestCert: false }],
  ["of TLS 1.2, which refuses within the handshake", { maxVersion: "TLSv1.2" }],
] as const)("tcp:// to a TLS server %s: one attempt, and what to write instead", async (_, options) => {
  const { port, kill } = await startTlsServer({ folder, onSocket: (socket) => socket.resume(), ...options });
  cleanups.push(kill);
  await expectSpeaksTls(port);
});

test("tcp:// to one that closes without a word, as Go's do", async () => {
  const { port: tlsPort, kill } = await startTlsServer({ folder, onSocket: (socket) => socket.resume() });
  cleanups.push(kill);
  const port = await listen((near) => {
    near.once("data", (first: Buffer) => {
      if (first[0] !== 0x16) return near.destroy();
      // What a client of TLS says goes through.
      const far = connect({ host: "127.0.0.1", port: tlsPort }).on("error", () => {});
      far.write(first);
      near.pipe(far).pipe(near);
      near.once("close", () => far.destroy());
    });
  });
  await expectSpeaksTls(port);
});

test("what is silent, or closes, or says something else, is no TLS", async () => {
  const budgetMs = 200;
  const silent = await listen((socket) => socket.resume());
  const closing = await listen((socket) => socket.destroy());
  const talking = await listen((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
  for (const port of [silent, closing, talking]) expect(await speaksTls({ host: "127.0.0.1", port, budgetMs })).toBe(false);
  expect(await speaksTls({ host: "127.0.0.1", port: silent, signal: AbortSignal.abort() })).toBe(false);
});

async function expectSpeaksTls(port: number): Promise<void> {
  const driver = createSocketDriver();
  const registry = createRegistry([{ name: "socket", schemes: ["tcp"], origin: "test", load: async () => ({ driver }) }]);
  const runner = await openRunner(`tcp://127.0.0.1:${port}`, { registry });
  const retries: RunnerEvent[] = [];
  const report = (event: RunnerEvent) => void (event.type === "retry" && retries.push(event));
  await expect(openSession(runner, { env: {}, cwd: "/", report })).rejects.toMatchObject({
    code: "WRONG_SERVER",
    message: `what answers at tcp://127.0.0.1:${port} speaks TLS`,
    hint: expect.stringContaining(`use tls://127.0.0.1:${port}`),
    retryable: false,
  });
  expect(retries).toEqual([]);
}

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    onSocket(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return (server.address() as AddressInfo).port;
}
