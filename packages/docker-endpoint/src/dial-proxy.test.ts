import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";

import { afterEach, expect, test } from "vitest";

import { createDockerClient, type DockerClient } from "./docker-client.ts";
import { startTestDaemon, UPGRADED, type TestDaemon, type TestDaemonOptions } from "./test-daemon.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

test.each([
  ["plain", false, "HTTP_PROXY"],
  ["with TLS", true, "HTTPS_PROXY"],
])("a TCP host %s is reached through the proxy, raw streams too", async (_, tls, variable) => {
  const onUpgrade = (_request: IncomingMessage, socket: Socket) => {
    socket.write(UPGRADED);
    socket.pipe(socket);
  };
  const { daemon, proxy, client } = await setUp({ tls, onUpgrade }, (port) => ({ [variable]: `http://me:p%40ss@127.0.0.1:${port}` }));
  expect(await client.apiVersion()).toBe("1.41");
  const stream = await client.hijack({ path: "/exec/1/start", json: {} });
  stream.write("through");
  expect(String((await once(stream, "data"))[0])).toBe("through");
  stream.destroy();
  expect(daemon.requests).toEqual(["GET /_ping", "POST /v1.41/exec/1/start"]);
  expect(proxy.connects).toEqual(proxy.connects.map(() => `docker.test:2376 Basic ${Buffer.from("me:p@ss").toString("base64")}`));
  expect(proxy.connects.length).toBeGreaterThan(0);
});

test("NO_PROXY leaves it out", async () => {
  const { proxy, client } = await setUp({}, (port) => ({ HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: ".test" }));
  await expect(client.apiVersion()).rejects.toMatchObject({ code: "NAME_NOT_RESOLVED" });
  expect(proxy.connects).toEqual([]);
});

test.each([
  [407, "AUTH_FAILED", false],
  [403, "CONNECTION_REFUSED", false],
  [502, "CONNECTION_REFUSED", true],
] as const)("a proxy that answers %s: %s, and its password in no message", async (status, code, retryable) => {
  const { proxy, client } = await setUp({}, (port) => ({ HTTP_PROXY: `http://me:secret@127.0.0.1:${port}` }), { status });
  const error = await client.apiVersion().catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code, retryable, message: expect.stringContaining(`(HTTP_PROXY) does not connect to docker.test:2376: ${status}`) });
  expect(JSON.stringify(error)).not.toContain("secret");
  expect(proxy.connects.length).toBe(1);
});

test("a proxy that is not there, and one that says nothing", async () => {
  const { proxy, client } = await setUp({}, (port) => ({ HTTP_PROXY: `http://127.0.0.1:${port}` }));
  await proxy.close();
  await expect(client.apiVersion()).rejects.toMatchObject({ code: "CONNECTION_REFUSED", message: expect.stringContaining("the proxy http://127.0.0.1:") });
  const silent = await setUp({}, (port) => ({ HTTP_PROXY: `http://127.0.0.1:${port}` }), { status: 0, connectBudgetMs: 100 });
  await expect(silent.client.apiVersion()).rejects.toMatchObject({ code: "TIMEOUT", retryable: true });
  await expect(silent.client.request({ path: "/info", signal: AbortSignal.timeout(1) })).rejects.toMatchObject({ code: "ABORTED" });
});

test("a far end that says nothing to the handshake", async () => {
  const mute = createTcpServer((socket) => void socket.on("error", () => {}).resume());
  mute.listen(0, "127.0.0.1");
  await once(mute, "listening");
  cleanups.push(() => mute.close());
  const { client } = await setUp({ tls: true }, (port) => ({ HTTPS_PROXY: `http://127.0.0.1:${port}` }), {
    connectBudgetMs: 100,
    farPort: (mute.address() as AddressInfo).port,
  });
  await expect(client.apiVersion()).rejects.toMatchObject({ code: "TIMEOUT", retryable: true });
});

test("a password that is no URL encoding is told, without itself", async () => {
  const { client } = await setUp({}, (port) => ({ HTTP_PROXY: `http://me:100%secret@127.0.0.1:${port}` }));
  const error = await client.apiVersion().catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: "INVALID_CONFIG", message: expect.stringContaining("HTTP_PROXY"), hint: expect.stringContaining("%25") });
  expect(JSON.stringify(error) + String(error)).not.toContain("secret");
});

interface TestProxy {
  readonly connects: string[];
  readonly port: number;
  close(): Promise<void>;
}

interface SetUpOptions {
  /** What the proxy answers; 0: nothing. */
  readonly status?: number | undefined;
  readonly connectBudgetMs?: number | undefined;
  /** Where the proxy leads instead of to the daemon. */
  readonly farPort?: number | undefined;
}

async function setUp(
  daemonOptions: TestDaemonOptions,
  env: (port: number) => Readonly<Record<string, string>>,
  { status = 200, connectBudgetMs = 5000, farPort }: SetUpOptions = {},
): Promise<{ readonly daemon: TestDaemon; readonly proxy: TestProxy; readonly client: DockerClient }> {
  const daemon = await startTestDaemon(daemonOptions);
  const proxy = await startProxy(daemon, { status, farPort });
  const { tls } = daemon.endpoint;
  const endpoint = { ...daemon.endpoint, host: "tcp://docker.test:2376", ...(tls === undefined ? {} : { tls: { ...tls, skipVerify: true } }) };
  const client = createDockerClient(endpoint, { env: env(proxy.port), connectBudgetMs });
  cleanups.push(
    () => client.close(),
    () => daemon[Symbol.asyncDispose](),
    () => proxy.close(),
  );
  return { daemon, proxy, client };
}

async function startProxy({ endpoint }: TestDaemon, { status, farPort }: Pick<SetUpOptions, "status" | "farPort">): Promise<TestProxy> {
  const connects: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("connect", (request: IncomingMessage, near: Socket) => {
    connects.push([request.url, request.headers["proxy-authorization"]].filter((part) => part !== undefined).join(" "));
    if (status === 0) return;
    if (status !== 200) return void near.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const { pathname, port } = new URL(endpoint.host);
    const far = endpoint.tls === undefined ? connect({ path: pathname }) : connect({ host: "127.0.0.1", port: farPort ?? Number(port) });
    far.on("error", () => {});
    near.write("HTTP/1.1 200 OK\r\n\r\n");
    near.pipe(far).pipe(near);
    near.once("close", () => far.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    connects,
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}
