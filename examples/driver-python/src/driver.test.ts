import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";

import { createRegistry, parseRunnerUrl } from "@anyrunner/core";
import { startConformanceServer } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";
import { expect, test, vi } from "vitest";

import { startConnectProxy } from "./connect-proxy.fixture.ts";
import { driver } from "./index.ts";

const PASSWORD = "pr0xy-passw0rd-31";

/** Once for each way in which `connect` gives its stream. */
for (const how of ["stdio", "loopback"]) {
  testDriver({
    name: `proxy, a program in Python, ${how}`,
    createDriver: () => driver,
    entry: new URL("index.ts", import.meta.url).href,
    badUrls: [
      "proxy://?via=localhost:1",
      "proxy://engine?via=localhost:1",
      "proxy://engine:99999?via=localhost:1",
      { url: "proxy://engine:1", code: "INVALID_OPTION" },
      { url: "proxy://engine:1?via=nonsense", code: "INVALID_OPTION" },
      { url: "proxy://engine:1?via=localhost:1&how=pigeon", code: "INVALID_OPTION" },
    ],
    absentUrls: ["proxy://127.0.0.1:1?via=127.0.0.1:1"],
    // Three TCP connections lie in a row, and each has two buffers that the kernel lets grow.
    inFlightLimitBytes: 96 * 1024 * 1024,
    target: async () => {
      const folder = await mkdtemp(path.join(tmpdir(), "proxy-"));
      const file = path.join(folder, "password");
      await writeFile(file, `${PASSWORD}\n`);
      const server = await startConformanceServer();
      const proxy = await startConnectProxy(`me:${PASSWORD}`);
      return {
        url: `proxy://${server.address}?via=${proxy.address}&user=me&password_path=${file}&how=${how}`,
        kill: () => server.kill(),
        leftovers: async () => server.connectionCount(),
        close: async () => {
          await server.kill();
          await proxy.close();
          await rm(folder, { recursive: true, force: true });
        },
        secrets: [PASSWORD],
      };
    },
  });
}

test("a password in the URL reaches the program by standard input, and is neither in target nor in handle; a stored handle comes without it", async () => {
  await using server = await startConformanceServer();
  const proxy = await startConnectProxy(`me:${PASSWORD}`);
  try {
    // A registry gives a driver the secrets of its URLs.
    const registered = await createRegistry([{ name: "proxy", schemes: ["proxy"], origin: "example", load: async () => driver }]).driver("proxy");
    const target = await registered.parse(parseRunnerUrl(`proxy://${server.address}?via=${proxy.address}&user=me&password=${PASSWORD}`));
    const handle = await registered.provision(target, {});
    expect(JSON.stringify([target, handle])).not.toContain(PASSWORD);
    const { stream, closed } = await registered.connect(handle, {});
    stream.destroy();
    await closed;
    await expect(registered.connect({ ...handle }, {})).rejects.toMatchObject({ code: "AUTH_FAILED", hint: "give user=NAME and password_path=FILE" });
  } finally {
    await proxy.close();
  }
});

test("a proxy that cuts the connection before it has answered is CONNECTION_LOST", async () => {
  const server = createServer((socket) => socket.once("data", () => socket.resetAndDestroy())).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const handle = await driver.provision(await driver.parse(parseRunnerUrl(`proxy://engine:1?via=127.0.0.1:${port}`)), {});
    await expect(driver.connect(handle, {})).rejects.toMatchObject({ code: "CONNECTION_LOST", retryable: true });
  } finally {
    server.close();
  }
});

test("a stream that is destroyed reaches the engine as a reset, and one that is ended as an end", async () => {
  const seen: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    socket.once("error", (error: NodeJS.ErrnoException) => seen.push(error.code ?? ""));
    socket.once("end", () => {
      seen.push("end");
      socket.end();
    });
    socket.once("close", () => seen.push("close"));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const handle = await driver.provision(await driver.parse(parseRunnerUrl(`proxy://engine:1?via=127.0.0.1:${port}&how=stdio`)), {});
    for (const [finish, expected] of [
      ["destroy", ["ECONNRESET", "close"]],
      ["end", ["end", "close"]],
    ] as const) {
      const { stream, closed } = await driver.connect(handle, {});
      stream.resume();
      stream[finish]();
      await closed;
      await vi.waitFor(() => expect(seen).toEqual(expected), { timeout: 30_000 });
      seen.length = 0;
    }
  } finally {
    server.close();
  }
});

test("strangers at the port, one that says something else and one that cuts the connection, are sent away, and don't keep our call out", async () => {
  await using server = await startConformanceServer();
  const proxy = await startConnectProxy();
  const [engine, via] = [server.address, proxy.address].map((address) => [address.split(":")[0], Number(address.split(":")[1])]);
  const handle = { id: "x", endpoint: { engine, proxy: via, how: "loopback" }, owned: false };
  const program = spawn(path.join(import.meta.dirname, "../anyrunner-driver-proxy"), ["connect"], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    program.stdin.write(`${JSON.stringify({ verb: "connect", protocol: 1, budgetMs: 30_000, handle })}\n`);
    const [line] = (await once(program.stdout, "data")) as [Buffer];
    const { port, token } = (JSON.parse(line.toString()) as { readonly result: { readonly port: number; readonly token: string } }).result;
    const liar = connect(port, "127.0.0.1").on("error", () => {});
    liar.write("0123456789abcdef0123456789abcdef\n");
    await once(liar, "close");
    const stranger = connect(port, "127.0.0.1");
    await once(stranger, "connect");
    stranger.resetAndDestroy();
    const caller = connect(port, "127.0.0.1");
    caller.write(`${token}\nSOURCE 3\n`);
    expect(await text(caller)).toHaveLength(3);
  } finally {
    program.kill();
    await once(program, "exit");
    await proxy.close();
  }
});
