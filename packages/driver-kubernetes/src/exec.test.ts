import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";

import { parseRunnerUrl, type RunnerConnection } from "@anyrunner/core/driver";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createKubernetesDriver, type KubernetesSettings } from "./driver.ts";
import { onStdin, runningPod, startFakeApiServer, V4, type FakeApiServer, type FakeExec } from "./fake-api-server.fixture.ts";
import { CHANNEL } from "./exec-socket.ts";
import type { Pod } from "./pod.ts";

let fake: FakeApiServer;
beforeEach(async () => {
  fake = await startFakeApiServer();
  fake.pods.set("engine-0", runningPod("engine-0"));
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

async function connect(settings: KubernetesSettings = {}): Promise<RunnerConnection> {
  const driver = createKubernetesDriver({ env: { KUBECONFIG: fake.kubeconfig }, ...settings });
  const handle = await driver.provision(await driver.parse(parseRunnerUrl("kube-pod://engine-0")), {});
  const connection = await driver.connect(handle, {});
  connection.stream.on("error", () => undefined);
  return connection;
}

async function readAll(connection: RunnerConnection): Promise<string> {
  let text = "";
  for await (const chunk of connection.stream as AsyncIterable<Buffer>) text += chunk.toString();
  return text;
}

function served(): Promise<FakeExec> {
  return new Promise((resolve) => (fake.exec = resolve));
}

describe("exec", () => {
  test("asks for buildctl dial-stdio in the container, with the token, offering both protocols", async () => {
    const serving = served();
    const connection = await connect();
    const { url, authorization, protocol } = await serving;
    expect(url.pathname).toBe("/api/v1/namespaces/builds/pods/engine-0/exec");
    expect([...url.searchParams]).toEqual([
      ["container", "engine"],
      ["stdin", "true"],
      ["stdout", "true"],
      ["stderr", "true"],
      ["tty", "false"],
      ["command", "buildctl"],
      ["command", "dial-stdio"],
    ]);
    expect({ authorization, protocol, halfClose: connection.halfClose, kind: connection.kind }).toEqual({
      authorization: "Bearer secret-token",
      protocol: "v5.channel.k8s.io",
      halfClose: true,
      kind: "relay",
    });
    connection.stream.destroy();
    expect(await connection.closed).toEqual({ kind: "local" });
  });

  test("v5: the end of the input is told, output that follows arrives, then the end", async () => {
    fake.exec = (exec) => onStdin(exec, (content) => (content === undefined ? (exec.stdout("the rest"), exec.exit(0)) : exec.stdout(content)));
    const connection = await connect();
    connection.stream.end("hello ");
    expect(await readAll(connection)).toBe("hello the rest");
    expect(await connection.closed).toEqual({ kind: "end" });
  });

  test("v4: there is no half-close, and the connection says so; ending loses nothing", async () => {
    fake.protocols = [V4];
    const serving = served();
    const connection = await connect();
    expect(connection.halfClose).toBe(false);
    connection.stream.end("hello");
    const exec = await serving;
    exec.socket.once("message", () => {
      exec.stdout("answer");
      exec.exit(0);
    });
    expect(await readAll(connection)).toBe("answer");
  });

  test("a big write goes out in frames that a server takes", async () => {
    const serving = served();
    const connection = await connect();
    const exec = await serving;
    const sizes: number[] = [];
    let received = 0;
    const all = new Promise<void>((resolve) =>
      onStdin(exec, (content) => {
        sizes.push(content?.length ?? 0);
        received += content?.length ?? 0;
        if (received === 3_000_000) resolve();
      }),
    );
    connection.stream.write(Buffer.alloc(3_000_000, "x"));
    await all;
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024);
    connection.stream.destroy();
  });

  test("a peer that reads nothing stops the writer, whose queue is bounded", async () => {
    const serving = served();
    const connection = await connect({ queueBytes: 100_000 });
    (await serving).socket.pause();
    const chunk = Buffer.alloc(65_536);
    let written = 0;
    while (written < 64 * 1024 * 1024) {
      written += chunk.length;
      if (!connection.stream.write(chunk)) {
        const drained = await Promise.race([once(connection.stream, "drain").then(() => true), quiet(200)]);
        if (!drained) break;
      }
    }
    expect(written).toBeLessThan(64 * 1024 * 1024);
    expect(connection.stream.writableLength).toBeLessThan(200_000);
    connection.stream.destroy();
  });

  test("a reader that stands still stops the server, and nothing is lost", async () => {
    const serving = served();
    const connection = await connect();
    const exec = await serving;
    const piece = Buffer.alloc(32_768, "y");
    const total = 64 * 1024 * 1024;
    for (let sent = 0; sent < total; sent += piece.length) exec.stdout(piece);
    exec.exit(0);
    await quiet(100);
    expect(exec.socket.bufferedAmount).toBeGreaterThan(0);
    expect(connection.stream.readableLength).toBeLessThan(1024 * 1024);
    let received = 0;
    for await (const chunk of connection.stream as AsyncIterable<Buffer>) received += chunk.length;
    expect(received).toBe(total);
  });

  test("exit codes and standard error are told by diagnostics, words of the status are not relied on", async () => {
    fake.exec = (exec) => {
      exec.socket.send(Buffer.concat([Buffer.from([2]), Buffer.from("could not dial the engine\n")]));
      exec.exit(1);
    };
    const connection = await connect();
    expect(await readAll(connection)).toBe("");
    expect(await connection.closed).toEqual({ kind: "end" });
    expect(await connection.diagnostics()).toEqual({
      summary: 'the pod "engine-0" is running',
      oomKilled: false,
      exitCode: 1,
      lastOutput: "could not dial the engine\n",
    });
  });

  test("how a killed container ended is told, though the cluster hears of it a moment later than we do", async () => {
    fake.exec = (exec) => exec.exit(137);
    const connection = await connect();
    expect(await readAll(connection)).toBe("");
    let asked = 0;
    fake.refuse = ({ url }) => {
      if (url?.endsWith("/pods/engine-0") && ++asked === 2) fake.pods.set("engine-0", killedPod());
      return undefined;
    };
    expect(await connection.diagnostics()).toMatchObject({
      summary: 'the pod "engine-0" is Failed: its container "engine" ended with exit code 137 (killed for lack of memory)',
      oomKilled: true,
      exitCode: 137,
    });
  });

  test.each([1000, 1006])("a close with code %d and no status is an error, never an end", async (code) => {
    fake.exec = ({ socket }) => (code === 1006 ? socket.terminate() : socket.close(code));
    const connection = await connect();
    connection.stream.resume();
    expect(await connection.closed).toMatchObject({
      kind: "error",
      error: { code: "CONNECTION_LOST", retryable: true, message: expect.stringContaining(String(code)) },
    });
  });

  test("a peer that answers no ping is given up", async () => {
    const serving = served();
    const connection = await connect({ pingIntervalMs: 20 });
    (await serving).socket.pause();
    expect(await connection.closed).toMatchObject({ kind: "error", error: { code: "CONNECTION_LOST", message: expect.stringContaining("has not answered") } });
  });

  test("a peer that answers pings is not, and neither is one whose output nobody reads", async () => {
    const serving = served();
    const connection = await connect({ pingIntervalMs: 5 });
    const exec = await serving;
    let pings = 0;
    const enough = new Promise<void>((resolve) => exec.socket.on("ping", () => ++pings === 10 && resolve()));
    await enough;
    for (let count = 0; count < 100; count++) exec.stdout(Buffer.alloc(32_768));
    await quiet(60);
    expect(connection.stream.destroyed).toBe(false);
    connection.stream.destroy();
    expect(await connection.closed).toEqual({ kind: "local" });
  });

  test("destroying ends the input, discards the rest, and then nothing is left", async () => {
    let ended = false;
    fake.exec = (exec) =>
      onStdin(exec, (content) => {
        if (content !== undefined) return;
        ended = true;
        for (let count = 0; count < 200; count++) exec.stdout(Buffer.alloc(32_768));
        exec.exit(0);
      });
    const connection = await connect();
    connection.stream.write("x");
    connection.stream.destroy();
    expect(await connection.closed).toEqual({ kind: "local" });
    await expect.poll(() => fake.connections()).toBe(0);
    expect(ended).toBe(true);
  });
});

describe("an exec of an old cluster", () => {
  beforeEach(() => void (fake.protocols = [V4]));

  test("destroying discards the rest before the stream is cut: the program would wait for its reader for ever", async () => {
    const frames = Array.from({ length: 1000 }, () => Buffer.alloc(32_768, CHANNEL.stdout));
    const sent = new Promise<unknown>((resolve) => {
      fake.exec = (exec) => onStdin(exec, () => resolve(Promise.all(frames.map((frame) => send(exec, frame)))));
    });
    const connection = await connect();
    connection.stream.write("x");
    await once(connection.stream, "readable");
    connection.stream.destroy();
    expect(await connection.closed).toEqual({ kind: "local" });
    await sent;
    await expect.poll(() => fake.connections()).toBe(0);
  });

  test("destroying cuts it at once when the program has ended", async () => {
    fake.exec = (exec) => exec.exit(0);
    const connection = await connect();
    expect(await readAll(connection)).toBe("");
    connection.stream.destroy();
    await expect.poll(() => fake.connections()).toBe(0);
  });
});

describe("failures of an exec", () => {
  test.each<[string, Parameters<FakeExec["fail"]>, object]>([
    [
      "no program",
      ['exec failed: unable to start container process: exec: "buildctl": executable file not found in $PATH'],
      { code: "WRONG_SERVER", retryable: false, message: expect.stringContaining('has no program "buildctl"') },
    ],
    ["a fresh node", ["error dialing backend: remote error: tls: internal error"], { code: "CONNECTION_LOST", retryable: true }],
    ["a container that is gone", ['container not found ("engine")'], { code: "NOT_RUNNING", retryable: true }],
    [
      "a container that has just ended",
      ["failed to start exec: OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown"],
      { code: "NOT_RUNNING", retryable: true },
    ],
    ["one that ended a moment before", ["failed to exec in container: container is in CONTAINER_EXITED state"], { code: "NOT_RUNNING", retryable: true }],
  ])("%s", async (_name, failure, expected) => {
    fake.exec = (exec) => exec.fail(...failure);
    const connection = await connect();
    connection.stream.resume();
    expect(await connection.closed).toMatchObject({ kind: "error", error: { ...expected, hint: expect.stringMatching(/./) } });
  });
});

function send({ socket }: FakeExec, frame: Buffer): Promise<void> {
  return new Promise((resolve, reject) => socket.send(frame, (error) => (error ? reject(error) : resolve())));
}

function killedPod(): Pod {
  const state = { terminated: { exitCode: 137, reason: "OOMKilled" } };
  return { ...runningPod("engine-0"), status: { phase: "Failed", containerStatuses: [{ name: "engine", state }] } };
}

/** Resolves with false after a while in which nothing happened; only to see that nothing does. */
async function quiet(turns: number): Promise<false> {
  for (let turn = 0; turn < turns; turn++) {
    await nextTurn();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return false;
}
