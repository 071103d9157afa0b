import { mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { chooseClientRunner } from "./choose-client-runner.ts";

async function emptyHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "anyrunner-test-choose-"));
  onTestFinished(() => rm(home, { recursive: true }));
  return home;
}

/** A container runtime that takes connections and says nothing. */
async function startSilentRuntime(folder: string, onConnection: () => void): Promise<string> {
  const sockets = new Set<Socket>();
  const path = join(folder, "docker.sock");
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    onConnection();
  }).listen(path);
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `unix://${path}`;
}

test("a signal ends the search on a container runtime that says nothing: ABORTED, not NO_RUNNER", async () => {
  const cwd = await emptyHome();
  const controller = new AbortController();
  const host = await startSilentRuntime(cwd, () => controller.abort());
  const surroundings = { cwd, env: { HOME: cwd, DOCKER_HOST: host }, report: () => {} };
  await expect(chooseClientRunner(surroundings, { signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
});

test("one that was aborted before finds nothing, whatever is configured", async () => {
  const cwd = await emptyHome();
  const surroundings = { cwd, env: { HOME: cwd }, report: () => {} };
  await expect(chooseClientRunner(surroundings, { runner: "tcp://127.0.0.1:1", signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});
