import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { startConformanceServer, type ConformanceTarget } from "@anyrunner/testkit";

/** Makes a runner for the tests, whose engine is the conformance peer: an inventory that names its address. */
export async function makeTestRunner(): Promise<ConformanceTarget> {
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
}
