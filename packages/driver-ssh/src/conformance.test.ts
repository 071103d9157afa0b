import { join } from "node:path";

import { CONFORMANCE_PEER_SCRIPT, SSH_TESTS_SKIPPED, sshVersion, startConformanceServer, startSshServer, type SshServer } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";
import { afterAll, beforeAll, describe } from "vitest";

import { createSshDriver } from "./driver.ts";

const entry = new URL("index.ts", import.meta.url).href;
/** As the engine's relay, it gets through also when there is nothing to pass on. */
const RELAY = CONFORMANCE_PEER_SCRIPT.replace("|| exit 1", "|| exit 0");
const skip = SSH_TESTS_SKIPPED ? "ANYRUNNER_TEST_SSH=skip" : undefined;

describe(`an sshd that forwards sockets`, () => {
  let server: SshServer | undefined;
  let count = 0;
  beforeAll(async () => {
    if (!SSH_TESTS_SKIPPED) server = await startSshServer();
  });
  afterAll(() => server?.kill());

  testDriver({
    name: "ssh, socket forwarding",
    createDriver: () => createSshDriver({ configFile: server?.configFile, idleMs: 20 }),
    entry,
    skip,
    realVersion: sshVersion,
    badUrls: ["ssh://", "ssh://-oProxyCommand=x/y", "ssh://user:password@host", "ssh://host/run/", { url: "ssh://host?identity=/x", code: "INVALID_OPTION" }],
    target: async () => {
      const { folder, host, connectionCount } = server as SshServer;
      const engine = await startConformanceServer({ path: join(folder, `engine-${count++}.sock`) });
      return {
        url: `ssh://${host}${engine.address}`,
        kill: () => engine.kill(),
        leftovers: async () => engine.connectionCount() + (await connectionCount()),
        close: () => engine.kill(),
      };
    },
  });
});

describe(`an sshd that forwards none`, () => {
  let server: SshServer | undefined;
  beforeAll(async () => {
    if (!SSH_TESTS_SKIPPED) server = await startSshServer({ config: ["AllowStreamLocalForwarding no"], programs: { buildctl: RELAY } });
  });
  afterAll(() => server?.kill());

  testDriver({
    name: "ssh, relay program",
    createDriver: () => createSshDriver({ configFile: server?.configFile, idleMs: 20 }),
    entry,
    skip,
    realVersion: sshVersion,
    badUrls: ["ssh://host:0"],
    target: async () => {
      const { host, start, stop, connectionCount } = server as SshServer;
      await start();
      return { url: `ssh://${host}`, kill: stop, leftovers: connectionCount, close: async () => {} };
    },
  });
});
