import { startConformanceServer, type ConformanceTarget } from "@anyrunner/testkit";

/**
 * Makes a runner for the tests. Its engine is the conformance peer: here a server on a TCP port, `server.address`; `startConformanceServer({ path })`
 * listens on a Unix socket, and `serveConformancePeer(stream)` serves any other stream. The URL must lead your driver to it.
 */
export async function makeTestRunner(): Promise<ConformanceTarget> {
  const server = await startConformanceServer();
  return {
    url: "echo://one",
    kill: () => server.kill(),
    close: () => server.kill(),
    leftovers: async () => server.connectionCount(),
  };
}
