import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { startConformanceServer } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";

import { createToyDriver } from "./index.ts";

testDriver({
  name: "toy",
  createDriver: () => createToyDriver(),
  entry: new URL("index.ts", import.meta.url).href,
  badUrls: ["toy://", "toy://Not A Name", "toy://a/b", { url: "toy://one?fiel=x", code: "INVALID_OPTION" }],
  absentUrls: ["toy://one?file=/no/such/inventory.json"],
  target: async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "toy-"));
    const server = await startConformanceServer();
    const file = path.join(folder, "runners.json");
    await writeFile(file, JSON.stringify({ one: server.address }));
    return {
      url: `toy://one?file=${file}`,
      kill: () => server.kill(),
      leftovers: async () => server.connectionCount(),
      close: async () => {
        await server.kill();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});
