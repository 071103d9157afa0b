import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import { expectNothingLeft, SSH_TESTS_SKIPPED, startSshServer, takeInventory, type SshServer, type SshServerOptions } from "@anyrunner/testkit";
import { afterEach, describe, expect, test } from "vitest";

import { createDockerSshDialler } from "./dial-ssh.ts";
import { createDockerClient, type DockerClient } from "./docker-client.ts";
import { startTestDaemon, UPGRADED, type TestDaemon } from "./test-daemon.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** `docker --host unix://PATH system dial-stdio`, as far as it matters. */
const DOCKER = `#!/bin/sh
exec '${process.execPath}' -e '
  const socket = require("node:net").connect(process.argv[2].slice("unix://".length));
  process.stdin.pipe(socket).pipe(process.stdout);
' -- "$@"
`;

describe.skipIf(SSH_TESTS_SKIPPED)(`a Docker host by ssh${SSH_TESTS_SKIPPED ? " (skipped by ANYRUNNER_TEST_SSH)" : ""}`, () => {
  test("a hundred requests and raw streams share one connection, and nothing is left", async () => {
    const { server, client } = await setUp();
    expect(await client.apiVersion()).toBe("1.41");
    const before = await takeInventory();
    const bodies = await Promise.all(Array.from({ length: 50 }, () => client.json<{ readonly ID: string }>({ path: "/info" })));
    expect(bodies).toEqual(bodies.map(() => ({ ID: "test" })));
    const streams = await Promise.all(Array.from({ length: 50 }, () => client.hijack({ path: "/exec/1/start", json: {} })));
    for (const stream of streams) stream.write("x");
    await Promise.all(streams.map((stream) => once(stream, "data")));
    expect(await server.connectionCount()).toBe(1);
    for (const stream of streams) stream.destroy();
    client.close();
    await expectNothingLeft(before, { extra: () => server.connectionCount() });
  });

  test("where the server forwards no sockets, docker itself passes the bytes on", async () => {
    const { server, client } = await setUp({ config: ["AllowStreamLocalForwarding no"], programs: { docker: DOCKER } });
    expect(await client.json({ path: "/info" })).toEqual({ ID: "test" });
    const stream = await client.hijack({ path: "/exec/1/start", json: {} });
    stream.write("x");
    await once(stream, "data");
    stream.destroy();
    expect(await server.connectionCount()).toBe(1);
  });

  test("what is wrong is told in the words of Docker", async () => {
    const { server, daemon } = await setUp();
    const at = (host: string) => {
      const client = createDockerClient({ ...daemon.endpoint, host }, { dialSsh: createDockerSshDialler({ configFile: server.configFile, idleMs: 20 }) });
      cleanups.push(() => client.close());
      return client.apiVersion();
    };
    await expect(at(`ssh://${server.host}/no/such.sock`)).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: `no Docker daemon can be reached at ssh://${server.host}/no/such.sock: there is no socket at /no/such.sock on ${server.host}`,
      hint: expect.stringContaining("start the Docker daemon there"),
    });
    await expect(at("ssh://no-such-host.invalid")).rejects.toMatchObject({ code: "NAME_NOT_RESOLVED" });
    await expect(at("ssh://-oProxyCommand=x/y")).rejects.toMatchObject({ code: "INVALID_CONFIG", message: expect.stringContaining("is no host name") });
    await expect(at(`ssh://${server.host}/a:b`)).rejects.toMatchObject({ code: "INVALID_CONFIG" });
    await server.changeHostKey();
    await expect(at(`ssh://${server.host}`)).rejects.toMatchObject({ code: "AUTH_FAILED" });
  });

  test("a request that is cancelled while ssh logs in leaves nothing", async () => {
    const { server, client } = await setUp();
    const controller = new AbortController();
    const asked = client.request({ path: "/info", signal: controller.signal });
    controller.abort();
    await expect(asked).rejects.toMatchObject({ code: "ABORTED" });
    client.close();
    await expectNothingLeft(await takeInventory(), { extra: () => server.connectionCount() });
  });
});

async function setUp(options: SshServerOptions = {}): Promise<{ readonly server: SshServer; readonly daemon: TestDaemon; readonly client: DockerClient }> {
  const server = await startSshServer(options);
  const daemon = await startTestDaemon({
    routes: { "GET /info": (_request, response) => response.end('{"ID":"test"}') },
    onUpgrade(_request: IncomingMessage, socket: Socket) {
      socket.write(UPGRADED);
      socket.pipe(socket);
    },
  });
  const host = `ssh://${server.host}${daemon.endpoint.host.slice("unix://".length)}`;
  const client = createDockerClient({ ...daemon.endpoint, host }, { dialSsh: createDockerSshDialler({ configFile: server.configFile, idleMs: 20 }) });
  cleanups.push(
    () => server.kill(),
    () => daemon[Symbol.asyncDispose](),
    () => client.close(),
  );
  return { server, daemon, client };
}
