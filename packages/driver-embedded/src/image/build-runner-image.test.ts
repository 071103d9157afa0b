import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Duplex } from "node:stream";

import { createDockerClient, openExecStream, resolveDockerEndpoint, type DockerClient } from "@anyrunner/docker-endpoint";
import { callUnary, Control, openHttp2Connection } from "@anyrunner/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { removeContainer } from "../executor/segment-container.ts";
import { remove, SKIP_DOCKER } from "../executor/test-executor.ts";
import { ENGINE_VERSION } from "../version.ts";
import { buildRunnerImage } from "./build-runner-image.ts";
import { bundleRunner } from "./bundle-runner.ts";

const SOCKET = "/var/run/docker.sock";
const RUNNER = `anyrunner-test-runner-${randomUUID()}`;
const TAG = `anyrunner-test-runner:${randomUUID()}`;

describe.skipIf(SKIP_DOCKER)("the runner's image on a real daemon", () => {
  let client: DockerClient;
  let bundlePath: string;

  beforeAll(async () => {
    client = createDockerClient(await resolveDockerEndpoint({ env: {}, host: `unix://${SOCKET}` }));
    bundlePath = await mkdtemp(join(tmpdir(), "anyrunner-bundle-"));
    await bundleRunner({ outPath: bundlePath });
    await buildRunnerImage({ client, tag: TAG, bundlePath });
    await start(client);
  });
  afterAll(async () => {
    await removeContainer(client, RUNNER);
    await remove(client, `/images/${TAG}`);
    await rm(bundlePath, { recursive: true });
    client.close();
  });

  test("buildctl dial-stdio reaches the engine", async () => {
    expect(await info(await dial(client, ["buildctl", "dial-stdio"]))).toEqual({ package: "github.com/dagger/dagger", version: ENGINE_VERSION });
  });

  test("buildctl takes another address, before or after the command", async () => {
    for (const command of [
      ["buildctl", "--addr", "unix:///run/dagger/engine.sock", "dial-stdio"],
      ["buildctl", "dial-stdio", "--addr=tcp://127.0.0.1:1234"],
    ]) {
      expect(await info(await dial(client, command))).toMatchObject({ version: ENGINE_VERSION });
    }
  });

  test("the engine answers on the port that was asked for", async () => {
    const { NetworkSettings } = await client.json<{ NetworkSettings: { Ports: Record<string, readonly { readonly HostPort: string }[]> } }>({
      path: `/containers/${RUNNER}/json`,
    });
    const socket = connect(Number(NetworkSettings.Ports["1234/tcp"]?.[0]?.HostPort), "127.0.0.1");
    expect(await info(socket)).toMatchObject({ version: ENGINE_VERSION });
  });

  test("bytes pass unchanged, and the end of standard input lets the answer come", async () => {
    const { stream } = await openExecStream(client, { container: RUNNER, command: ["buildctl", "dial-stdio"] });
    stream.end("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(await text(stream)).toContain("missing header X-Dagger-Client-Metadata");
  });

  test("buildctl says what is wrong", async () => {
    const missing = await openExecStream(client, { container: RUNNER, command: ["buildctl", "--addr", "unix:///run/none.sock", "dial-stdio"] });
    await text(missing.stream).catch(() => "");
    expect(await missing.exitCode()).toBe(1);
    expect(missing.stderrTail()).toContain("unix:///run/none.sock");
    const unknown = await openExecStream(client, { container: RUNNER, command: ["buildctl", "build"] });
    await text(unknown.stream).catch(() => "");
    expect(await unknown.exitCode()).toBe(2);
  });

  test("it stops at once when told to", async () => {
    const { Id } = await client.json<{ Id: string }>({ path: `/containers/${RUNNER}/json` });
    (await client.request({ method: "POST", path: `/containers/${Id}/stop`, query: { t: 20 } })).body.resume();
    const { State } = await client.json<{ State: { ExitCode: number; Running: boolean } }>({ path: `/containers/${Id}/json` });
    expect(State).toMatchObject({ Running: false, ExitCode: 0 });
  });

  test("a Node.js that the daemon can't run is refused", async () => {
    await expect(buildRunnerImage({ client, tag: TAG, bundlePath, nodePath: join(bundlePath, "main.js") })).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});

async function start(client: DockerClient): Promise<void> {
  await client.json({
    method: "POST",
    path: "/containers/create",
    query: { name: RUNNER },
    json: {
      Image: TAG,
      // What drivers that make engines say to every engine's image.
      Cmd: ["--debug", "--debugaddr", "127.0.0.1:6060", "--addr", "tcp://0.0.0.0:1234"],
      ExposedPorts: { "1234/tcp": {} },
      HostConfig: { Binds: [`${SOCKET}:${SOCKET}`], PortBindings: { "1234/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } },
    },
  });
  (await client.request({ method: "POST", path: `/containers/${RUNNER}/start` })).body.resume();
  const logs = await client.request({ path: `/containers/${RUNNER}/logs`, query: { follow: true, stderr: true } });
  const [line] = (await once(logs.body, "data")) as [Buffer];
  logs.body.destroy();
  expect(line.toString()).toContain("listens on unix:///run/dagger/engine.sock, unix:///run/buildkit/buildkitd.sock, tcp://0.0.0.0:1234");
}

async function dial(client: DockerClient, command: readonly string[]): Promise<Duplex> {
  return (await openExecStream(client, { container: RUNNER, command })).stream;
}

async function info(stream: Duplex): Promise<{ readonly package: string | undefined; readonly version: string | undefined }> {
  const connection = openHttp2Connection(stream);
  const { buildkitVersion } = await callUnary(connection, Control.info, {});
  await connection.close();
  return { package: buildkitVersion?.package, version: buildkitVersion?.version };
}
