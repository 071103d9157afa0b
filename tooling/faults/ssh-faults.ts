import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { createRegistry, openRunner, type RunnerDriver } from "@anyrunner/core";
import { createSshDriver } from "@anyrunner/driver-ssh";
import { createEngineDouble, SSH_TESTS_SKIPPED, startSshServer, type EngineDouble, type SshServer } from "@anyrunner/testkit";

import type { Fault, Scene } from "./fault.ts";
import { forever } from "./socket-faults.ts";

interface Far {
  readonly server: SshServer;
  readonly engine: EngineDouble;
  readonly socket: string;
}

export const SSH_FAULTS: readonly Fault[] = [
  sshFault("wrong key: one that the host doesn't know", async ({ server }) => {
    await writeFile(join(server.folder, "authorized_keys"), "");
    return {};
  }),
  sshFault("the host key has changed", async ({ server }) => {
    await server.changeHostKey();
    return {};
  }),
  sshFault("no ssh server", async ({ server }) => {
    await server.stop();
    return {};
  }),
  sshFault("DNS: a name without address", async () => ({ url: "ssh://no-such-host.invalid" })),
  sshFault("no engine's socket on the host", async ({ server }) => ({ url: `ssh://${server.host}/no/such/engine.sock` })),
  sshFault("binary missing: no ssh here", async () => ({ url: "ssh://build", driver: createSshDriver({ env: { PATH: "/nowhere" } }) })),
  sshFault("the host dies during a query", async ({ server }) => ({ strike: () => server.stop() })),
];

function sshFault(name: string, change: (far: Far) => Promise<Partial<Scene>>): Fault {
  return {
    fault: name,
    scheme: "ssh",
    skipped: SSH_TESTS_SKIPPED ? "ANYRUNNER_TEST_SSH=skip" : undefined,
    async prepare(cleanUp) {
      const server = await startSshServer();
      const engine = createEngineDouble(forever);
      cleanUp(() => server.kill());
      cleanUp(() => engine.kill());
      const socket = join(server.folder, "engine.sock");
      await engine.listen({ path: socket });
      const driver = createSshDriver({ configFile: server.configFile, idleMs: 20 });
      const url = `ssh://${server.host}${socket}`;
      await dialOnce(url, driver);
      while ((await server.connectionCount()) > 0) await sleep(20);
      return {
        url,
        driver,
        leftovers: () => server.connectionCount(),
        ...(await change({ server, engine, socket })),
      };
    },
  };
}

/** What the first of all programs loads stays. */
async function dialOnce(url: string, driver: RunnerDriver): Promise<void> {
  const registry = createRegistry([{ name: driver.name, schemes: driver.schemes, origin: "test", load: async () => ({ driver }) }]);
  const { stream, closed } = await (await openRunner(url, { registry })).connect();
  stream.destroy();
  await closed;
}
