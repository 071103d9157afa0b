import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";

import { createSocketDriver } from "@anyrunner/driver-socket";
import { createCertificates } from "@anyrunner/driver-socket/certs";
import { createEngineDouble } from "@anyrunner/testkit";

import type { Fault, Scene } from "./fault.ts";

type CleanUp = Parameters<Fault["prepare"]>[0];

/** Queries that never end, on an engine double. */
export const forever = { answer: () => new Promise<never>(() => {}) } as const;

export const SOCKET_FAULTS: readonly Fault[] = [
  fault("no such socket", "unix", async () => ({ url: "unix:///no/such/engine.sock" })),
  {
    ...fault("permission: a socket of someone else", "unix", async (cleanUp) => {
      const path = join(await makeFolder(cleanUp), "engine.sock");
      const server = createServer().listen({ path });
      await once(server, "listening");
      cleanUp(() => server.close());
      return { url: `unix://${path}`, around: asNobody };
    }),
    skipped: process.getuid?.() === 0 ? undefined : "only root can become someone else",
  },
  fault("nothing listens", "tcp", async () => ({ url: "tcp://127.0.0.1:1" })),
  fault("DNS: a name without address", "tcp", async () => ({ url: "tcp://no-such-host.invalid:1234" })),
  fault("another server: HTTP", "tcp", async (cleanUp) => ({ url: `tcp://127.0.0.1:${await listen(createWebServer(), cleanUp)}` })),
  fault("a TLS server", "tcp", async (cleanUp) => ({ url: `tcp://127.0.0.1:${(await serveTls(cleanUp)).port}` })),
  fault("a server without TLS", "tls", async (cleanUp) => ({ url: `tls://127.0.0.1:${await listen(createWebServer(), cleanUp)}` })),
  fault("an expired server certificate", "tls", async (cleanUp) => {
    const { port, folder } = await serveTls(cleanUp, { days: 1, now: new Date("2020-01-01T00:00:00Z") });
    return { url: `tls://127.0.0.1:${port}?ca_path=${folder}/ca.pem` };
  }),
  fault("an expired client certificate", "tls", async (cleanUp) => {
    const { port, folder } = await serveTls(cleanUp);
    const old = join(await makeFolder(cleanUp), "old");
    await createCertificates({ folder: old, hosts: ["127.0.0.1"], days: 1, now: new Date("2020-01-01T00:00:00Z") });
    return { url: `tls://127.0.0.1:${port}?ca_path=${folder}/ca.pem&cert_path=${old}/client.pem&key_path=${old}/client.pem` };
  }),
  fault("an unknown authority", "tls", async (cleanUp) => ({ url: `tls://127.0.0.1:${(await serveTls(cleanUp)).port}` })),
  fault("affinity: two engines behind one address", "tcp", async (cleanUp) => {
    const engines = [createEngineDouble(forever), createEngineDouble(forever)];
    const ports = await Promise.all(engines.map(async (engine) => Number((await engine.listen()).split(":").at(-1))));
    cleanUp(() => Promise.all(engines.map((engine) => engine.kill())));
    let turn = 0;
    const balancer = createServer((near) => {
      const far = connect(ports[turn++ % 2] as number, "127.0.0.1").on("error", () => {});
      near.on("error", () => {}).once("close", () => far.destroy());
      near.pipe(far).pipe(near);
    });
    return { url: `tcp://127.0.0.1:${await listen(balancer, cleanUp)}` };
  }),
  fault("version: an engine that is too old", "tcp", async (cleanUp) => {
    const engine = createEngineDouble({ info: { version: "v0.11.0" } });
    cleanUp(() => engine.kill());
    return { url: await engine.listen() };
  }),
  fault("an engine that never gets ready", "tcp", async (cleanUp) => ({
    url: `tcp://127.0.0.1:${await listen(
      createServer((socket) => socket.destroy()),
      cleanUp,
    )}`,
  })),
  fault("the engine dies during a query", "tcp", async (cleanUp) => {
    const engine = createEngineDouble(forever);
    cleanUp(() => engine.kill());
    return { url: await engine.listen(), strike: () => engine.kill() };
  }),
];

function fault(name: string, scheme: string, prepare: (cleanUp: CleanUp) => Promise<Omit<Scene, "driver">>): Fault {
  return { fault: name, scheme, prepare: async (cleanUp) => ({ driver: createSocketDriver(), ...(await prepare(cleanUp)) }) };
}

export async function makeFolder(cleanUp: CleanUp): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
  cleanUp(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function serveTls(cleanUp: CleanUp, validity: { readonly days?: number; readonly now?: Date } = {}) {
  const folder = join(await makeFolder(cleanUp), "certs");
  await createCertificates({ folder, hosts: ["127.0.0.1"], ...validity });
  const identity = await readFile(join(folder, "server.pem"));
  return {
    folder,
    port: await listen(
      createTlsServer({ cert: identity, key: identity }, (socket) => socket.on("error", () => {}).resume()),
      cleanUp,
    ),
  };
}

async function listen(server: Server, cleanUp: CleanUp): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUp(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

/** Says what it can't understand before it closes, as web servers do; Node's own resets the connection, and its answer may be lost with that. */
function createWebServer(): Server {
  return createHttpServer((_request, response) => response.end("hello")).on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
}
