import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RunnerDriver } from "@anyrunner/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { describeProgram } from "./describe-program.ts";
import { createProgramDriver } from "./driver.ts";

const command = join(import.meta.dirname, "hostile.fixture.sh");
const description = await describeProgram({ command });
const handle = { driver: "hostile", id: "one", endpoint: {}, owned: false, labels: {} };

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-socket-"));
  path = join(folder, "engine.sock");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A driver whose program names the Unix socket at `path`, as the engine's own or as a relay's. */
const driverOf = (kind: "socket" | "relay"): RunnerDriver =>
  createProgramDriver({ command, env: { ...process.env, MISDEED: "engine's own socket", KIND: kind, SOCKET: path, RAN: join(folder, "ran") }, description });
const starts = async () => (await readFile(join(folder, "ran"), "utf8").catch(() => "")).split("\n").length - 1;

/** Something that listens at `path`. */
async function listen(): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on("error", () => {}))).listen(path);
  await once(server, "listening");
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function connectOnce(driver: RunnerDriver, to = handle): Promise<void> {
  const { stream, closed } = await driver.connect(to, {});
  stream.destroy();
  expect(await closed).toEqual({ kind: "local" });
}

describe("an engine's own socket that a program has named", () => {
  test("is dialled again without asking the program; another handle is another question", async () => {
    await using _engine = await listen();
    const driver = driverOf("socket");
    for (let count = 0; count < 3; count++) await connectOnce(driver);
    expect(await starts()).toBe(1);
    await connectOnce(driver, { ...handle });
    expect(await starts()).toBe(2);
  });

  test("is forgotten when it can't be dialled: the program says what is so", async () => {
    const driver = driverOf("socket");
    const engine = await listen();
    await connectOnce(driver);
    await engine[Symbol.asyncDispose]();
    await expect(driver.connect(handle, {})).rejects.toMatchObject({ message: expect.stringContaining(path) });
    expect(await starts()).toBe(2);
    await using _again = await listen();
    await connectOnce(driver);
    await connectOnce(driver);
    expect(await starts()).toBe(3);
  });

  test("an abort is an abort, and forgets nothing", async () => {
    await using _engine = await listen();
    const driver = driverOf("socket");
    await connectOnce(driver);
    await expect(driver.connect(handle, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    await connectOnce(driver);
    expect(await starts()).toBe(1);
  });

  test("its diagnostics say how the runner is, as far as the program can", async () => {
    await using _engine = await listen();
    const driver = driverOf("socket");
    await connectOnce(driver);
    const { stream, closed, diagnostics } = await driver.connect(handle, {});
    stream.destroy();
    await closed;
    expect(await diagnostics()).toEqual({});
  });
});

test("a relay's socket is asked for each time", async () => {
  await using _engine = await listen();
  const driver = driverOf("relay");
  await connectOnce(driver);
  await connectOnce(driver);
  expect(await starts()).toBe(2);
});
