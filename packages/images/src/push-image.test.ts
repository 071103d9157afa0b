import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RunnerEvent } from "@anyrunner/core";
import { createDockerClient } from "@anyrunner/docker-endpoint";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { buildImage } from "./build-image.ts";
import { pushImage } from "./push-image.ts";
import { inspectImage } from "./source-image.ts";
import { createTestImages, skipReason, type TestImages } from "./test-engine-image.ts";
import { startPushRegistry, type PushRegistry } from "./test-push-registry.ts";

const LOGIN = { username: "pusher", password: "push-5ecret" };
const DIGEST = `sha256:${"a".repeat(64)}`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A daemon packs its layers for a push. */
const TIMEOUT_MS = 600_000;

describe.skipIf(skipReason !== undefined)(`push by a real daemon${skipReason === undefined ? "" : ` (${skipReason})`}`, { timeout: TIMEOUT_MS }, () => {
  let images: TestImages;
  let registry: PushRegistry;
  beforeAll(async () => {
    images = await createTestImages();
    registry = await startPushRegistry(LOGIN);
  });
  afterAll(async () => {
    await images[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  }, TIMEOUT_MS);

  test("with the login of Docker's configuration; what was pushed can be built from, pinned by its digest", async () => {
    const { client } = images;
    const [name = "", version = ""] = (await images.makeEngine("push")).split(":");
    const tag = images.own(`${registry.host}/engine:${version}`);
    await client.json({ method: "POST", path: `/images/${name}:${version}/tag`, query: { repo: `${registry.host}/engine`, tag: version } });
    const env = { DOCKER_CONFIG: folder };

    const anonymous: unknown = await pushImage({ client, tag, env }).catch((error: unknown) => error);
    expect(anonymous).toMatchObject({ code: "AUTH_FAILED", hint: expect.stringContaining(`log in: docker login ${registry.host}`) });

    const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString("base64");
    await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    const events: RunnerEvent[] = [];
    const pushed = await pushImage({ client, tag, env, report: (event) => events.push(event) });
    expect(pushed).toEqual({ tag, digest: registry.digest("engine", version), reference: `${registry.host}/engine@${pushed.digest}` });
    expect(events.at(0)).toMatchObject({ type: "progress", id: "image-push", message: `pushing ${tag}` });
    expect(events.at(-1)).toMatchObject({ type: "progress", id: "image-push", done: true });

    // The daemon knows the digest now; a build from the name is pinned by it.
    const built = await buildImage({ client, recipe: { engine: tag, engineJson: {} }, tag: images.tag("pinned"), pull: "never", env });
    expect(built.engineDigest).toBe(pushed.digest);
    expect(built.containerfile).toContain(`FROM ${tag}@${pushed.digest}\n`);
    expect((await inspectImage(client, built.tag, {}))?.Config.Labels?.["org.opencontainers.image.base.digest"]).toBe(pushed.digest);
  });

  test("an image that isn't there: NOT_FOUND", async () => {
    await expect(pushImage({ client: images.client, tag: `${registry.host}/none:1`, env: { DOCKER_CONFIG: folder } })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });
});

/** Pushes to a daemon that does what the real one can't be made to do. */
async function pushTo(answer: (response: ServerResponse) => void, tag = "registry.example.com/engine:1"): Promise<unknown> {
  const socket = join(folder, "docker.sock");
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === "/_ping") response.writeHead(200, { "api-version": "1.41" }).end("OK");
    else answer(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(socket, resolve);
  });
  const client = createDockerClient({ host: `unix://${socket}`, from: { kind: "flag", name: "host" } });
  try {
    return await pushImage({ client, tag, env: { DOCKER_CONFIG: folder } }).catch((error: unknown) => error);
  } finally {
    client.close();
    server.closeAllConnections();
    server.close();
  }
}

test.each([
  ["denied: requested access to the resource is denied", "AUTH_FAILED"],
  ["dial tcp: lookup registry.example.com: no such host", "NAME_NOT_RESOLVED"],
  ["dial tcp 10.0.0.1:443: connect: connection refused", "CONNECTION_REFUSED"],
  ["x509: certificate signed by unknown authority", "TLS_FAILED"],
  ["server gave HTTP response to HTTPS client", "TLS_FAILED"],
  ["manifest invalid: it is too large", "COMMAND_FAILED"],
])("the daemon says %s: %s", async (words, code) => {
  const error = await pushTo((response) => response.end(`${JSON.stringify({ error: words })}\n`));
  expect(error).toMatchObject({ code, message: `the image registry.example.com/engine:1 can't be pushed: ${words}`, hint: expect.any(String) });
});

test("an answer that is cut off, and one without a digest, are no success", async () => {
  const cut = await pushTo((response) => {
    response.write('{"status":"Pushing","id":"a"}\n');
    setImmediate(() => response.destroy());
  });
  expect(cut).toMatchObject({ code: "CONNECTION_LOST", retryable: true });
  expect(await pushTo((response) => response.end('{"status":"done"}\n'))).toMatchObject({ code: "COMMAND_FAILED" });
  expect(await pushTo((response) => response.end(`{"aux":{"Digest":"${DIGEST}"}}\n`))).toMatchObject({ digest: DIGEST });
});

test.each(["engine:1", "registry.example.com/engine", `registry.example.com/engine:1@${DIGEST}`])("%s is not pushed: INVALID_OPTION", async (tag) => {
  expect(await pushTo((response) => response.destroy(), tag)).toMatchObject({ code: "INVALID_OPTION", hint: expect.any(String) });
});
