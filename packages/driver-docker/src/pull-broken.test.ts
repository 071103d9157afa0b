import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createDockerClient } from "@anyrunner/docker-endpoint";
import { afterEach, beforeEach, expect, test } from "vitest";

import { pullImage } from "./pull-image.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Pulls from a daemon that does what the real one can't be made to do. */
async function pullFrom(answer: (response: ServerResponse) => void): Promise<unknown> {
  const socket = join(folder, "docker.sock");
  const server = createServer((request, response) => {
    if (request.url === "/_ping") response.writeHead(200, { "api-version": "1.41" }).end("OK");
    else answer(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(socket, resolve);
  });
  const client = createDockerClient({ host: `unix://${socket}`, from: { kind: "flag", name: "host" } });
  try {
    // A host in the environment of this process must not lead elsewhere.
    const env = { DOCKER_CONFIG: folder, DOCKER_HOST: "tcp://127.0.0.1:1" };
    return await pullImage(client, "engine:v1", { env }).then(
      () => "pulled",
      (error: unknown) => error,
    );
  } finally {
    client.close();
    server.closeAllConnections();
    server.close();
  }
}

test("an answer that is cut off is no success", async () => {
  const error = await pullFrom((response) => {
    response.write('{"status":"Downloading","id":"a"}\n');
    setImmediate(() => response.destroy());
  });
  expect(error).toMatchObject({ code: "CONNECTION_LOST", retryable: true });
});

test("lines may be cut anywhere, and the last one may have no end", async () => {
  expect(
    await pullFrom((response) => {
      response.write('{"status":"Downl');
      response.end('oading","id":"ü"}\r\n\r\n{"status":"done"}');
    }),
  ).toBe("pulled");
});

test("a line that is no JSON, or an error among the lines, is a typed failure", async () => {
  expect(await pullFrom((response) => response.end("<html>"))).toMatchObject({ code: "IMAGE_PULL_FAILED" });
  expect(await pullFrom((response) => response.end('{"error":"toomanyrequests: slow down"}\n'))).toMatchObject({
    code: "IMAGE_PULL_FAILED",
    message: "the image engine:v1 can't be pulled: toomanyrequests: slow down",
  });
});

test("a refusal of the daemon is told in its words", async () => {
  const refuse = (response: ServerResponse) => response.writeHead(500).end('{"message":"no space left on device"}');
  expect(await pullFrom(refuse)).toMatchObject({
    code: "IMAGE_PULL_FAILED",
    message: "the image engine:v1 can't be pulled: no space left on device",
    hint: expect.stringMatching(/^make room on the daemon's disk: /),
  });
});
