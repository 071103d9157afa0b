import { getEventListeners } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";

import { createDockerClient } from "./docker-client.ts";
import { openExecStream, type ExecStream, type OpenExecStreamOptions } from "./exec-stream.ts";
import { frame, startTestDaemon, UPGRADED, type TestDaemon, type TestDaemonOptions } from "./test-daemon.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

interface ExecDaemonOptions extends TestDaemonOptions {
  /** What the program does with its connection. */
  readonly program?: (socket: Socket) => void;
  readonly exit?: { readonly Running: boolean; readonly ExitCode: number | null };
  /** Called with each exec's creation; gives the answer when it wants. */
  readonly onCreate?: (answer: () => void) => void;
  /** The daemon does not answer a start; called with each. */
  readonly hangsAtStart?: () => void;
}

interface ExecDaemon {
  readonly daemon: TestDaemon;
  readonly created: Record<string, unknown>[];
  readonly open: (options?: Partial<OpenExecStreamOptions>) => Promise<ExecStream>;
}

async function startExecDaemon(options: ExecDaemonOptions = {}): Promise<ExecDaemon> {
  const created: Record<string, unknown>[] = [];
  const daemon = await startTestDaemon({
    ...options,
    routes: {
      async "POST /containers/engine/exec"(request, response) {
        created.push(JSON.parse((await request.toArray()).join("")) as Record<string, unknown>);
        const answer = () => void response.writeHead(201).end(JSON.stringify({ Id: `exec${created.length}` }));
        if (options.onCreate === undefined) answer();
        else options.onCreate(answer);
      },
      "GET /exec/exec1/json": (_request, response) => response.end(JSON.stringify(options.exit ?? { Running: false, ExitCode: 0 })),
      ...options.routes,
    },
    onUpgrade(_request: IncomingMessage, socket) {
      if (options.hangsAtStart !== undefined) return options.hangsAtStart();
      socket.write(UPGRADED);
      options.program?.(socket);
    },
  });
  const client = createDockerClient(daemon.endpoint);
  cleanups.push(
    () => client.close(),
    () => daemon[Symbol.asyncDispose](),
  );
  return { daemon, created, open: (more = {}) => openExecStream(client, { container: "engine", command: ["buildctl", "dial-stdio"], ...more }) };
}

describe("open", () => {
  test("asks for version, exec and start, nothing else", async () => {
    const { daemon, created, open } = await startExecDaemon({ program: (socket) => socket.end() });
    const { closed, execId, stream } = await open({ user: "0", workingDir: "/w", env: ["A=b"], privileged: true });
    stream.resume();
    expect(await closed).toEqual({ kind: "end" });
    expect(execId).toBe("exec1");
    expect(daemon.requests).toEqual(["GET /_ping", "POST /v1.41/containers/engine/exec", "POST /v1.41/exec/exec1/start"]);
    expect(created).toEqual([
      {
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: false,
        Cmd: ["buildctl", "dial-stdio"],
        Env: ["A=b", expect.stringMatching(/^ANYRUNNER_EXEC=/)],
        User: "0",
        WorkingDir: "/w",
        Privileged: true,
      },
    ]);
  });

  test("an old daemon gets no environment, and is told apart when it is needed", async () => {
    const { created, open } = await startExecDaemon({ ping: undefined, versions: { ApiVersion: "1.24" }, program: (socket) => socket.end() });
    await open();
    expect(created[0]).not.toHaveProperty("Env");
    await expect(open({ env: ["A=b"] })).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(open({ workingDir: "/" })).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("a container that isn't running rejects", async () => {
    const routes: TestDaemonOptions["routes"] = {
      "POST /containers/engine/exec": (_request, response) => response.writeHead(409).end('{"message":"Container engine is not running"}'),
    };
    const { daemon, open } = await startExecDaemon({ routes });
    await expect(open()).rejects.toMatchObject({ code: "NOT_RUNNING", message: "container engine is not running" });
    await expect.poll(() => daemon.open()).toBeLessThanOrEqual(1);
  });

  test("an abort rejects at once; the exec that comes of it is started and ended", async () => {
    const asked = Promise.withResolvers<() => void>();
    const ended = Promise.withResolvers<void>();
    const { daemon, open } = await startExecDaemon({
      onCreate: asked.resolve,
      program: (socket) => socket.resume().on("end", () => ended.resolve()),
    });
    const controller = new AbortController();
    const opened = open({ signal: controller.signal });
    const answer = await asked.promise;
    controller.abort(new Error("enough"));
    await expect(opened).rejects.toMatchObject({ code: "ABORTED", cause: { message: "enough" } });
    answer();
    await ended.promise;
    expect(daemon.requests.at(-1)).toBe("POST /v1.41/exec/exec1/start");
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  test("an abort ends also a program that doesn't care for its input", async () => {
    const asked = Promise.withResolvers<() => void>();
    const { daemon, created, open } = await startExecDaemon({
      onCreate: (answer) => (created.length === 1 ? asked.resolve(answer) : answer()),
      program: (socket) => socket.resume(),
      routes: { "POST /exec/exec2/start": (_request, response) => response.end() },
    });
    const controller = new AbortController();
    const released = Promise.withResolvers<void>();
    const opened = open({ signal: controller.signal, graceMs: 10, onReleased: released.resolve });
    const answer = await asked.promise;
    controller.abort();
    await expect(opened).rejects.toMatchObject({ code: "ABORTED" });
    answer();
    await released.promise;
    expect(created[1]).toMatchObject({ Cmd: expect.arrayContaining(created[0]?.["Env"] as string[]), User: "0" });
    expect(daemon.requests).toContain("POST /v1.41/exec/exec2/start");
    // What goes on all the same is looked for again.
    expect(created.length).toBeGreaterThan(2);
  });

  test("an abort while the daemon is starting it: when that takes too long, what came of it is ended", async () => {
    const starting = Promise.withResolvers<void>();
    const { created, open } = await startExecDaemon({
      hangsAtStart: () => starting.resolve(),
      routes: { "POST /exec/exec2/start": (_request, response) => response.end() },
    });
    const controller = new AbortController();
    const released = Promise.withResolvers<void>();
    const opened = open({ signal: controller.signal, graceMs: 10, onReleased: released.resolve });
    await starting.promise;
    controller.abort();
    await expect(opened).rejects.toMatchObject({ code: "ABORTED" });
    await released.promise;
    expect(created[1]).toMatchObject({ Cmd: expect.arrayContaining(created[0]?.["Env"] as string[]) });
  });

  test("an abort while the daemon hangs gives its connection up after the grace", async () => {
    const asked = Promise.withResolvers<() => void>();
    const { daemon, open } = await startExecDaemon({ onCreate: asked.resolve });
    const controller = new AbortController();
    const opened = open({ signal: controller.signal, graceMs: 10 });
    await asked.promise;
    const before = daemon.open();
    controller.abort();
    await expect(opened).rejects.toMatchObject({ code: "ABORTED" });
    await expect.poll(() => daemon.open()).toBeLessThan(before);
  });
});

describe("stream", () => {
  test("gives standard output as it was sent, wherever frames are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ kind: fc.constantFrom(1, 1, 2), payload: fc.uint8Array({ minLength: 1, maxLength: 5000 }) }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 4000 }),
        async (frames, cut) => {
          const bytes = Buffer.concat(frames.map(({ kind, payload }) => frame(kind, payload)));
          const { open } = await startExecDaemon({
            program(socket) {
              for (let start = 0; start < bytes.length; start += cut) socket.write(bytes.subarray(start, start + cut));
              socket.end();
            },
          });
          const exec = await open();
          const sent = (wanted: number) => Buffer.concat(frames.filter(({ kind }) => kind === wanted).map(({ payload }) => Buffer.from(payload)));
          expect(Buffer.concat(await exec.stream.toArray())).toEqual(sent(1));
          expect(exec.stderrTail()).toBe(sent(2).subarray(-4096).toString());
          expect(await exec.closed).toEqual({ kind: "end" });
        },
      ),
      { numRuns: 25 },
    );
  });

  test("a reader that has stopped stops the daemon", async () => {
    let blocked = false;
    const { open } = await startExecDaemon({
      program(socket) {
        const block = frame(1, Buffer.alloc(65_536));
        for (let count = 0; count < 1000; count++) blocked = !socket.write(block);
        socket.end();
      },
    });
    const exec = await open();
    exec.stream.pause();
    await expect.poll(() => exec.stream.readableLength).toBeGreaterThan(0);
    expect(blocked).toBe(true);
    expect(exec.stream.readableLength).toBeLessThan(1024 * 1024);
    let received = 0;
    for await (const chunk of exec.stream) received += (chunk as Buffer).length;
    expect(received).toBe(65_536_000);
  });

  test("writes are acknowledged at once until the queue is full, and go on when it drains", async () => {
    const paused = Promise.withResolvers<Socket>();
    const { open } = await startExecDaemon({ program: (socket) => paused.resolve(socket.pause()) });
    const { stream } = await open({ queueBytes: 2_000_000 });
    const far = await paused.promise;
    let acknowledged = 0;
    for (let count = 0; count < 40; count++) stream.write(Buffer.alloc(200_000), () => acknowledged++);
    await expect.poll(() => acknowledged).toBeGreaterThan(9);
    expect(acknowledged).toBeLessThan(40);
    expect(stream.writableNeedDrain).toBe(true);
    far.resume();
    await expect.poll(() => acknowledged).toBe(40);
    stream.destroy();
  });

  test("end closes standard input when everything is written; the answer still comes", async () => {
    let received = 0;
    const { open } = await startExecDaemon({
      program: (socket) => socket.on("data", (chunk: Buffer) => (received += chunk.length)).on("end", () => socket.end(frame(1, "done"))),
    });
    const { stream, closed } = await open();
    for (let count = 0; count < 50; count++) stream.write(Buffer.alloc(100_000));
    stream.end();
    expect((await stream.toArray()).join("")).toBe("done");
    expect(received).toBe(5_000_000);
    expect(await closed).toEqual({ kind: "end" });
  });
});

describe("end", () => {
  test("a daemon that dies in the middle of a frame is CONNECTION_LOST", async () => {
    const { daemon, open } = await startExecDaemon({ program: (socket) => socket.write(frame(1, "hello").subarray(0, 10)) });
    const { stream, closed, released } = await open();
    stream.on("error", () => undefined).once("data", () => daemon.kill());
    expect(await closed).toMatchObject({ kind: "error", error: { code: "CONNECTION_LOST", retryable: true } });
    await released;
  });

  test("a stream that ends inside a frame is no clean end", async () => {
    const { open } = await startExecDaemon({ program: (socket) => socket.end(frame(1, "hello").subarray(0, 10)) });
    const { stream, closed } = await open();
    stream.on("error", () => undefined).resume();
    expect(await closed).toMatchObject({ kind: "error", error: { code: "CONNECTION_LOST" } });
  });

  test("bytes that are no frames are WRONG_SERVER", async () => {
    const { open } = await startExecDaemon({ program: (socket) => socket.write("not multiplexed at all") });
    const { stream, closed } = await open();
    stream.on("error", () => undefined).resume();
    expect(await closed).toMatchObject({ kind: "error", error: { code: "WRONG_SERVER" } });
  });

  const failure = 'OCI runtime exec failed: exec failed: unable to start container process: exec: "buildctl": executable file not found in $PATH: unknown\r\n';

  test("a program that isn't there is NOT_FOUND, and can be told in other words", async () => {
    const { open } = await startExecDaemon({ program: (socket) => socket.end(frame(1, failure)), exit: { Running: false, ExitCode: 126 } });
    const { stream, closed } = await open({ mapStartError: (error) => Object.assign(error, { message: `mapped ${error.code}` }) });
    const received: unknown[] = [];
    stream.on("error", () => undefined).on("data", (chunk) => received.push(chunk));
    expect(await closed).toMatchObject({ kind: "error", error: { code: "NOT_FOUND", message: "mapped NOT_FOUND" } });
    expect(received).toEqual([]);
  });

  test("a program that prints the same words itself is believed by its exit code", async () => {
    const { open } = await startExecDaemon({ program: (socket) => socket.end(frame(1, failure)), exit: { Running: false, ExitCode: 0 } });
    const { stream, closed } = await open();
    expect((await stream.toArray()).join("")).toBe(failure);
    expect(await closed).toEqual({ kind: "end" });
  });

  test("the exit code: nothing while it runs, and after the end as soon as the daemon knows it", async () => {
    const running = { Running: true, ExitCode: null as number | null };
    const { daemon, open } = await startExecDaemon({ program: (socket) => socket.once("data", () => socket.end()), exit: running });
    const { stream, closed, exitCode } = await open();
    expect(await exitCode()).toBeUndefined();
    stream.resume().write("go");
    await closed;
    const code = exitCode();
    const asked = daemon.requests.length;
    await expect.poll(() => daemon.requests.length).toBeGreaterThan(asked + 1);
    Object.assign(running, { Running: false, ExitCode: 137 });
    expect(await code).toBe(137);
  });
});

describe("destroy", () => {
  test("closes standard input, discards the rest, and is over when the program is", async () => {
    const { daemon, open } = await startExecDaemon({
      program(socket) {
        socket.write(frame(1, Buffer.alloc(100_000)));
        socket.resume().on("end", () => socket.end(frame(1, Buffer.alloc(3_000_000))));
      },
    });
    const { stream, closed, released } = await open();
    stream.once("data", () => stream.destroy());
    expect(await closed).toEqual({ kind: "local" });
    await released;
    expect(daemon.requests.filter((request) => request.startsWith("POST"))).toHaveLength(2);
  });

  test("a program that goes on is killed by its mark after the grace", async () => {
    const { created, open } = await startExecDaemon({
      program: (socket) => socket.resume(),
      routes: { "POST /exec/exec2/start": (_request, response) => response.writeHead(200).end() },
    });
    const { stream, released } = await open({ graceMs: 10 });
    stream.destroy();
    await released;
    const mark = (created[0]?.["Env"] as string[] | undefined)?.at(-1);
    expect(created[1]).toMatchObject({ User: "0", Cmd: ["sh", "-c", expect.any(String), "sh", mark] });
  });

  test("an error is kept as the reason", async () => {
    const { open } = await startExecDaemon({ program: (socket) => socket.resume().on("end", () => socket.end()) });
    const { stream, closed } = await open();
    const error = new Error("mine");
    stream.on("error", () => undefined).destroy(error);
    expect(await closed).toEqual({ kind: "error", error });
  });
});
