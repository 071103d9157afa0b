import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { PassThrough, type Duplex } from "node:stream";

import { afterEach, describe, expect, test } from "vitest";

import { createDockerClient, type DockerClient } from "./docker-client.ts";
import { startTestDaemon, tlsFixture, UPGRADED, type TestDaemon, type TestDaemonOptions } from "./test-daemon.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe("dial", () => {
  test("no daemon at the socket, after one attempt", async () => {
    const client = createDockerClient({ host: "unix:///no/such.sock", from: { kind: "environment", name: "DOCKER_HOST" } });
    await expect(client.apiVersion()).rejects.toMatchObject({
      code: "CONNECTION_REFUSED",
      retryable: false,
      message: expect.stringContaining("variable DOCKER_HOST"),
    });
  });

  test("a server that speaks no HTTP is WRONG_SERVER", async () => {
    const server = await listen((socket) => void socket.end("SSH-2.0-OpenSSH_9.2p1\r\n"));
    const client = createDockerClient({
      host: `tcp://127.0.0.1:${(server.address() as { port: number }).port}`,
      from: { kind: "environment", name: "DOCKER_HOST" },
    });
    cleanups.push(() => client.close());
    await expect(client.apiVersion()).rejects.toMatchObject({ code: "WRONG_SERVER" });
  });

  test("a dial that hangs is given up after the budget", async () => {
    // TLS to a server that never answers the handshake.
    const server = await listen(() => undefined);
    const endpoint = {
      host: `tcp://127.0.0.1:${(server.address() as { port: number }).port}`,
      from: { kind: "environment", name: "DOCKER_HOST" },
      tls: { skipVerify: true, from: { kind: "environment", name: "DOCKER_TLS" } },
    } as const;
    const client = createDockerClient(endpoint, { connectBudgetMs: 20 });
    cleanups.push(() => client.close());
    await expect(client.apiVersion()).rejects.toMatchObject({ code: "TIMEOUT", retryable: true });
  });
});

describe("a dialler of one's own", () => {
  const endpoint = { host: "ssh://build", from: { kind: "environment", name: "DOCKER_HOST" } } as const;

  test("is cancelled by close, and what it brings then is not kept", async () => {
    const asked = Promise.withResolvers<AbortSignal | undefined>();
    const dialled = Promise.withResolvers<Duplex>();
    const client = createDockerClient(endpoint, {
      dialSsh: (_url, { signal }) => {
        asked.resolve(signal);
        return dialled.promise;
      },
    });
    const version = client.apiVersion().catch((error: unknown) => error);
    const signal = await asked.promise;
    client.close();
    expect(signal?.aborted).toBe(true);
    const late = new PassThrough();
    dialled.resolve(late);
    expect(await version).toMatchObject({ name: "RunnerError" });
    await expect.poll(() => late.destroyed).toBe(true);
  });
});

describe("TLS", () => {
  test("client certificates, requests and raw streams", async () => {
    const { client } = await connect({ tls: true, onUpgrade: echoUpgraded });
    expect(await client.apiVersion()).toBe("1.41");
    const stream = await client.hijack({ path: "/exec/1/start" });
    stream.end("bytes");
    expect((await stream.toArray()).join("")).toBe("bytes");
  });

  test.each<[string, object, string]>([
    ["an unknown authority", { caPath: tlsFixture("cert.pem") }, "TLS_FAILED"],
    ["no client certificate", { certPath: undefined, keyPath: undefined }, "TLS_FAILED"],
    ["a missing file", { caPath: "/no/such/ca.pem" }, "INVALID_CONFIG"],
  ])("%s", async (_name, change, code) => {
    const { daemon } = await connect({ tls: true });
    const endpoint = { ...daemon.endpoint, tls: { ...daemon.endpoint.tls, ...change } } as TestDaemon["endpoint"];
    const client = createDockerClient(endpoint);
    cleanups.push(() => client.close());
    await expect(client.apiVersion()).rejects.toMatchObject({ code, hint: expect.stringMatching(/./) });
  });

  test("a daemon that isn't checked needs no authority", async () => {
    const { daemon } = await connect({ tls: true });
    const client = createDockerClient({
      ...daemon.endpoint,
      tls: { certPath: tlsFixture("cert.pem"), keyPath: tlsFixture("key.pem"), skipVerify: true, from: { kind: "environment", name: "DOCKER_TLS" } },
    });
    cleanups.push(() => client.close());
    expect(await client.apiVersion()).toBe("1.41");
  });
});

describe("raw stream", () => {
  test("keeps bytes that came with the answer, and half-closes", async () => {
    const { daemon, client } = await connect({
      onUpgrade(_request, socket) {
        socket.write(`${UPGRADED}early `);
        socket.on("data", (chunk) => socket.write(chunk));
        socket.on("end", () => socket.end(" late"));
      },
    });
    const stream = await client.hijack({ path: "/exec/1/start", json: {} });
    stream.end("middle");
    expect((await stream.toArray()).join("")).toBe("early middle late");
    expect(daemon.accepted()).toBe(1);
  });

  test("outlives close", async () => {
    const { client } = await connect({ onUpgrade: echoUpgraded });
    const stream = await client.hijack({ path: "/exec/1/start" });
    client.close();
    stream.end("still here");
    expect((await stream.toArray()).join("")).toBe("still here");
  });

  test("a refusal is typed; an answer without upgrade is UNSUPPORTED", async () => {
    const { client } = await connect({
      onUpgrade(request, socket) {
        const [status, text] = request.url?.includes("gone") ? ["404 Not Found", '{"message":"No such exec instance: gone"}'] : ["200 OK", "x"];
        socket.end(`HTTP/1.1 ${status}\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
      },
    });
    await expect(client.hijack({ path: "/exec/gone/start" })).rejects.toMatchObject({ code: "NOT_FOUND", message: "no such exec instance: gone" });
    await expect(client.hijack({ path: "/exec/plain/start" })).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});

async function connect(daemonOptions: TestDaemonOptions): Promise<{ readonly daemon: TestDaemon; readonly client: DockerClient }> {
  const daemon = await startTestDaemon(daemonOptions);
  const client = createDockerClient(daemon.endpoint);
  cleanups.push(
    () => client.close(),
    () => daemon[Symbol.asyncDispose](),
  );
  return { daemon, client };
}

function echoUpgraded(_request: unknown, socket: Socket): void {
  socket.write(UPGRADED);
  socket.pipe(socket);
}

async function listen(onSocket: Parameters<typeof createServer>[1]): Promise<Server> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer(onSocket).on("connection", (socket) => sockets.add(socket.on("error", () => undefined)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server;
}
