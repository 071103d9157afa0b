import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";

import { RunnerError } from "@anyrunner/core/driver";
import { serveConformancePeer } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";

import { createEmbeddedDriver } from "./driver.ts";
import type { EmbeddedEngine } from "./engine.ts";

/** Far ends in this process, in place of engines. */
const streams = new Set<Duplex>();
let killed = false;

testDriver({
  name: "embedded",
  createDriver: () => createEmbeddedDriver({ env: { DOCKER_HOST: "unix:///no/such/docker.sock" }, createEngine: () => peer() }),
  entry: new URL("index.ts", import.meta.url).href,
  badUrls: ["embedded://place", { url: "embedded://?hots=x", code: "INVALID_OPTION" }, { url: "embedded://?host=", code: "INVALID_OPTION" }],
  absentUrls: ["embedded://?host=unix:///no/such/docker.sock"],
  target: async () => {
    killed = false;
    const daemon = await startDaemon();
    const close = async () => {
      await kill();
      await daemon.close();
    };
    return { url: `embedded://?host=unix://${daemon.path}`, kill, leftovers: async () => streams.size, close };
  },
});

async function kill(): Promise<void> {
  killed = true;
  for (const stream of streams) stream.destroy();
}

/** As much of a container engine's API as a probe asks for. */
async function startDaemon(): Promise<{ readonly path: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
  const path = join(folder, "docker.sock");
  const server = createServer((_, response) => {
    response.setHeader("api-version", "1.41").setHeader("content-type", "application/json");
    response.end(JSON.stringify({ ApiVersion: "1.41", MinAPIVersion: "1.12" }));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

function peer(): EmbeddedEngine {
  return {
    serve(stream) {
      if (killed) throw new RunnerError("NOT_RUNNING", "the peer was killed", { hint: "start another" });
      streams.add(stream);
      stream.once("close", () => streams.delete(stream));
      void serveConformancePeer(stream);
      return { closed: new Promise((resolve) => stream.once("close", () => resolve(undefined))), close: async () => void stream.destroy() };
    },
    close: kill,
  };
}
