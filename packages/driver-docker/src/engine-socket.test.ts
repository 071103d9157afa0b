import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseRunnerUrl, type RunnerConnection } from "@anyrunner/core/driver";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createDockerDriver } from "./driver.ts";
import { runTestContainer, skipReason, type TestContainer } from "./test-container.ts";

const asRoot = process.platform === "linux" && process.getuid?.() === 0;
const reason = skipReason ?? (asRoot ? undefined : "only root may look into a container's files");

describe.skipIf(reason !== undefined)(`the engine's own socket${reason === undefined ? "" : ` (${reason})`}`, () => {
  let run: string;
  let server: Server;
  let dials: number;

  beforeEach(async () => {
    run = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
    await mkdir(join(run, "real"));
    dials = 0;
    server = createServer((socket) => {
      dials++;
      socket.on("error", () => undefined).pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(join(run, "real/engine.sock"), resolve));
  });
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(run, { recursive: true, force: true });
  });

  async function connect(container: TestContainer): Promise<RunnerConnection> {
    const driver = createDockerDriver();
    return driver.connect(await driver.provision(await driver.parse(parseRunnerUrl(`docker-container://${container.name}`)), {}), {});
  }

  test("is dialled without an exec, and its end is seen", async () => {
    await using container = await runTestContainer({ hostConfig: { Binds: [`${run}/real:/run/dagger`] } });
    const connection = await connect(container);
    expect([connection.kind, connection.halfClose, dials]).toEqual(["socket", true, 1]);
    connection.stream.end("ping");
    expect(String(await connection.stream.toArray())).toBe("ping");
    expect(await connection.closed).toEqual({ kind: "end" });
    expect(await container.leftovers()).toBe(0);
    expect(await connection.diagnostics()).toMatchObject({ summary: `the container "${container.name}" is running` });
  });

  test("is not followed through a link, which would lead out of the container", async () => {
    await symlink(join(run, "real"), join(run, "dagger"));
    await using container = await runTestContainer({ hostConfig: { Binds: [`${run}:/run`] } });
    const connection = await connect(container);
    expect([connection.kind, dials]).toEqual(["relay", 0]);
    connection.stream.destroy();
    await connection.closed;
  });

  test("that nobody listens on leaves the exec", async () => {
    await using container = await runTestContainer({ hostConfig: { Binds: [`${run}/real:/run/dagger`] } });
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    const connection = await connect(container);
    expect(connection.kind).toBe("relay");
    connection.stream.destroy();
    await connection.closed;
    server.listen();
  });
});
