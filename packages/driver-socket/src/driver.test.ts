import { spawnSync } from "node:child_process";
import { getEventListeners } from "node:events";
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseRunnerUrl, RunnerError, type RunnerEvent } from "@anyrunner/core/driver";
import { freePort } from "@anyrunner/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createSocketDriver } from "./driver.ts";
import { socketError } from "./socket-error.ts";
import { parseSocketTarget } from "./target.ts";

let folder: string;
const servers: Server[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

describe("probe", () => {
  test("names a file that is no socket", async () => {
    const path = join(folder, "file");
    await writeFile(path, "");
    expect(await probe(`unix://${path}`)).toMatchObject({ available: false, code: "NOT_FOUND", reason: `what is at unix://${path} is no socket` });
  });

  test("names a symbolic link to nothing", async () => {
    const path = join(folder, "link");
    await symlink("/no/such/target", path);
    expect(await probe(`unix://${path}`)).toMatchObject({ available: false, code: "NOT_FOUND", reason: expect.stringContaining("symbolic link to nothing") });
  });

  test("suggests the third slash for a relative path", async () => {
    expect(await probe("unix://run/no-such.sock")).toMatchObject({
      available: false,
      code: "NOT_FOUND",
      hint: expect.stringContaining("unix:///run/no-such.sock"),
    });
  });

  test("dials no TCP port", async () => {
    expect(await probe("tcp://127.0.0.1:1")).toEqual({ available: true });
  });
});

describe("connect", () => {
  test("a closed port is CONNECTION_REFUSED after one attempt", async () => {
    expect(await connectError(`tcp://127.0.0.1:${await freePort()}`)).toMatchObject({
      code: "CONNECTION_REFUSED",
      retryable: false,
      hint: expect.stringMatching(/./),
      driver: "socket",
    });
  });

  test("a socket whose server was killed is CONNECTION_REFUSED", async () => {
    const path = join(folder, "old.sock");
    const server = spawnSync(process.execPath, [
      "-e",
      `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    expect(server.signal).toBe("SIGKILL");
    expect(await probe(`unix://${path}`)).toEqual({ available: true });
    expect(await connectError(`unix://${path}`)).toMatchObject({ code: "CONNECTION_REFUSED", retryable: false });
  });

  test("a name without address is NAME_NOT_RESOLVED", async () => {
    expect(await connectError("tcp://no-such-host.invalid:1234")).toMatchObject({ code: "NAME_NOT_RESOLVED", retryable: false });
  });

  test.skipIf(process.getuid?.() === 0)("a socket without permission is PERMISSION_DENIED", async () => {
    const path = join(folder, "closed.sock");
    await listen({ path });
    await chmod(path, 0o000);
    expect(await connectError(`unix://${path}`)).toMatchObject({ code: "PERMISSION_DENIED" });
  });

  test("a peer that swallows the dial is given up after the budget", async () => {
    // 192.0.2.0/24 is reserved for documentation: whatever this machine does with it, it is no success.
    const driver = createSocketDriver({ connectBudgetMs: 1 });
    const handle = await driver.provision(parseSocketTarget(parseRunnerUrl("tcp://192.0.2.1:9")), {});
    const error: unknown = await driver.connect(handle, {}).catch((reason: unknown) => reason);
    expect(RunnerError.is(error) && ["TIMEOUT", "CONNECTION_REFUSED"].includes(error.code)).toBe(true);
  });

  test("an abort in the middle of a dial rejects and leaves no listener", async () => {
    const driver = createSocketDriver();
    const handle = await driver.provision(parseSocketTarget(parseRunnerUrl("tcp://192.0.2.1:9")), {});
    const controller = new AbortController();
    const dialled = driver.connect(handle, { signal: controller.signal }).catch((reason: unknown) => reason);
    controller.abort(new Error("enough"));
    expect(await dialled).toMatchObject({ code: "ABORTED", cause: { message: "enough" } });
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  test("diagnostics tell bytes and how it ended", async () => {
    const path = join(folder, "echo.sock");
    await listen({ path }, (socket) => socket.pipe(socket));
    const connection = await connect(`unix://${path}`);
    connection.stream.end("1234");
    connection.stream.resume();
    expect(await connection.closed).toEqual({ kind: "end" });
    expect(await connection.diagnostics()).toEqual({
      summary: `the connection to unix://${path} was ended by the engine, after 4 bytes were sent and 4 received`,
    });
  });
});

describe("plaintext", () => {
  test("a warning, once, for what leaves the machine", async () => {
    const driver = createSocketDriver();
    const events: RunnerEvent[] = [];
    for (let time = 0; time < 2; time++) {
      for (const url of ["tcp://build.example:1", "tcp://127.0.0.2:1", "tcp://localhost:1", "tcp://[::1]:1", "unix:///x"]) {
        await driver.provision(parseSocketTarget(parseRunnerUrl(url)), { report: (event) => events.push(event) });
      }
    }
    expect(events).toEqual([{ type: "warning", id: "plaintext", message: expect.stringContaining("tcp://build.example:1"), hint: expect.stringMatching(/./) }]);
  });

  test("a provision without a listener doesn't use the warning up", async () => {
    const driver = createSocketDriver();
    const target = parseSocketTarget(parseRunnerUrl("tcp://build.example:1"));
    const events: RunnerEvent[] = [];
    await driver.provision(target, {});
    await driver.provision(target, { report: (event) => events.push(event) });
    expect(events).toHaveLength(1);
  });
});

describe("errors", () => {
  const address = { kind: "tcp", hostname: "h", port: 1 } as const;
  test.each([
    ["ECONNREFUSED", "CONNECTION_REFUSED", false],
    ["ENOENT", "NOT_FOUND", false],
    ["ENOTSOCK", "NOT_FOUND", false],
    ["EACCES", "PERMISSION_DENIED", false],
    ["EPERM", "PERMISSION_DENIED", false],
    ["ENOTFOUND", "NAME_NOT_RESOLVED", false],
    ["EAI_AGAIN", "NAME_NOT_RESOLVED", false],
    ["EHOSTUNREACH", "CONNECTION_REFUSED", false],
    ["ENETUNREACH", "CONNECTION_REFUSED", false],
    ["ETIMEDOUT", "TIMEOUT", true],
    ["ECONNRESET", "CONNECTION_LOST", true],
    ["EPIPE", "CONNECTION_LOST", true],
    ["EWHATEVER", "INTERNAL", false],
  ])("%s is %s", (errno, code, retryable) => {
    const cause = Object.assign(new Error("node's"), { code: errno });
    expect(socketError(cause, address)).toMatchObject({
      code,
      retryable,
      cause,
      driver: "socket",
      hint: expect.stringMatching(/./),
      details: { address: "tcp://h:1", errno },
    });
  });

  test("several addresses that all fail count as the first", () => {
    const refused = Object.assign(new Error(""), { code: "ECONNREFUSED" });
    expect(socketError(new AggregateError([refused, refused]), address)).toMatchObject({ code: "CONNECTION_REFUSED" });
  });
});

function probe(url: string) {
  return createSocketDriver().probe(parseSocketTarget(parseRunnerUrl(url)), {});
}

async function connect(url: string) {
  const driver = createSocketDriver();
  return driver.connect(await driver.provision(parseSocketTarget(parseRunnerUrl(url)), {}), {});
}

async function connectError(url: string): Promise<unknown> {
  return connect(url).then(
    () => "connected",
    (error: unknown) => error,
  );
}

async function listen(where: { readonly path: string }, onSocket?: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(onSocket).on("connection", (socket) => socket.on("error", () => undefined));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(where, resolve));
  return server;
}
