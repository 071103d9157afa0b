import { mkdtemp, rm } from "node:fs/promises";
import { release, tmpdir, type } from "node:os";
import { join } from "node:path";

import { startConformanceServer } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";

import { createSocketDriver } from "./driver.ts";

const entry = new URL("index.ts", import.meta.url).href;
const realVersion = async () => `sockets of ${type()} ${release().replace(/[^\d.].*$/, "")}`;

testDriver({
  name: "socket, Unix",
  createDriver: createSocketDriver,
  entry,
  realVersion,
  badUrls: ["unix://", "unix:///run/", { url: "unix:///x?path=1", code: "INVALID_OPTION" }],
  absentUrls: ["unix:///no/such/engine.sock", "unix:///dev/null"],
  target: async () => {
    const folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
    const server = await startConformanceServer({ path: join(folder, "engine.sock") });
    return {
      url: `unix://${server.address}`,
      kill: () => server.kill(),
      leftovers: async () => server.connectionCount(),
      close: async () => {
        await server.kill();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});

testDriver({
  name: "socket, TCP",
  createDriver: createSocketDriver,
  entry,
  realVersion,
  badUrls: ["tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", { url: "tcp://127.0.0.1:1?tls=1", code: "INVALID_OPTION" }],
  target: async () => {
    const server = await startConformanceServer();
    return { url: `tcp://${server.address}`, kill: () => server.kill(), leftovers: async () => server.connectionCount(), close: () => server.kill() };
  },
});
