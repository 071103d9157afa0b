import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { startConformanceServer, type ConformanceTarget } from "@anyrunner/testkit";

/** Makes a runner for the tests, whose engine is the conformance peer, on a Unix socket. `direct` is the URL's parameter of that name. */
export async function makeTestRunner(direct: boolean): Promise<ConformanceTarget> {
  const folder = await mkdtemp(path.join(tmpdir(), "socat-"));
  const server = await startConformanceServer({ path: path.join(folder, "engine.sock") });
  return {
    url: `socat://UNIX-CONNECT:${server.address}?direct=${direct}`,
    kill: () => server.kill(),
    leftovers: async () => server.connectionCount(),
    close: async () => {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
