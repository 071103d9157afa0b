import { getEventListeners } from "node:events";
import { Readable } from "node:stream";

import { afterEach, describe, expect, test } from "vitest";

import { NEWEST_API_VERSION } from "./api-version.ts";
import { createDockerClient, type DockerClient, type DockerClientOptions } from "./docker-client.ts";
import { startTestDaemon, type TestDaemon, type TestDaemonOptions } from "./test-daemon.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function connect(
  daemonOptions: TestDaemonOptions = {},
  options: DockerClientOptions = {},
): Promise<{ readonly daemon: TestDaemon; readonly client: DockerClient }> {
  const daemon = await startTestDaemon(daemonOptions);
  const client = createDockerClient(daemon.endpoint, options);
  cleanups.push(
    () => client.close(),
    () => daemon[Symbol.asyncDispose](),
  );
  return { daemon, client };
}

const newer = (by: number) => `1.${Number(NEWEST_API_VERSION.split(".")[1]) + by}`;

describe("version", () => {
  test.each<[string, TestDaemonOptions, string, readonly string[]]>([
    ["one question to a daemon that is older", { ping: "1.41" }, "1.41", ["GET /_ping"]],
    [
      "a newer one is asked for its minimum",
      { ping: newer(2), versions: { ApiVersion: newer(2), MinAPIVersion: "1.44" } },
      NEWEST_API_VERSION,
      ["GET /_ping", "GET /version"],
    ],
    [
      "a minimum above ours is taken",
      { ping: newer(9), versions: { ApiVersion: newer(9), MinAPIVersion: newer(3) } },
      newer(3),
      ["GET /_ping", "GET /version"],
    ],
    ["one that says nothing in the ping", { ping: undefined, versions: { ApiVersion: "1.24" } }, "1.24", ["GET /_ping", "GET /version"]],
    ["one that says nothing at all", { ping: undefined, versions: {} }, "1.24", ["GET /_ping", "GET /version"]],
  ])("%s", async (_name, daemonOptions, version, requests) => {
    const { daemon, client } = await connect(daemonOptions);
    expect(await client.apiVersion()).toBe(version);
    expect(daemon.requests).toEqual(requests);
  });

  test("is asked once, whoever asks, on one connection", async () => {
    const { daemon, client } = await connect({ routes: { "GET /info": (_request, response) => response.end("{}") } });
    await Promise.all([client.apiVersion(), client.apiVersion(), client.json({ path: "/info" })]);
    await client.json({ path: "/info" });
    expect(daemon.requests).toEqual(["GET /_ping", "GET /v1.41/info", "GET /v1.41/info"]);
    expect(daemon.accepted()).toBe(1);
  });

  test("that DOCKER_API_VERSION fixed isn't asked", async () => {
    const { daemon } = await connect({ routes: { "GET /info": (_request, response) => response.end("{}") } });
    const pinned = createDockerClient({ ...daemon.endpoint, apiVersion: "1.26" });
    cleanups.push(() => pinned.close());
    await pinned.json({ path: "/info" });
    expect(daemon.requests).toEqual(["GET /v1.26/info"]);
  });

  test("a daemon that is too old", async () => {
    const { client } = await connect({ ping: "1.22" });
    await expect(client.apiVersion()).rejects.toMatchObject({ code: "VERSION_MISMATCH" });
  });

  test("a server that is no Docker daemon", async () => {
    const { client } = await connect({ ping: undefined, routes: { "GET /version": (_request, response) => response.writeHead(404).end("not here") } });
    await expect(client.apiVersion()).rejects.toMatchObject({ code: "WRONG_SERVER" });
  });

  test("a daemon that never answers is given up after the budget", async () => {
    const { daemon, client } = await connect({ routes: { "GET /_ping": () => undefined } }, { versionBudgetMs: 20 });
    await expect(client.apiVersion()).rejects.toMatchObject({ code: "TIMEOUT", retryable: true });
    await expect.poll(() => daemon.open()).toBe(0);
  });

  test("a failure is not kept: the daemon is asked again", async () => {
    let broken = true;
    const { client } = await connect({
      routes: { "GET /_ping": (request, response) => void (broken ? request.socket.destroy() : response.writeHead(200, { "Api-Version": "1.41" }).end()) },
    });
    await expect(client.apiVersion()).rejects.toMatchObject({ code: "CONNECTION_LOST", retryable: true });
    broken = false;
    expect(await client.apiVersion()).toBe("1.41");
  });

  test("one caller's abort doesn't disturb the others", async () => {
    const asked = Promise.withResolvers<() => void>();
    const { client } = await connect({
      routes: { "GET /_ping": (_request, response) => asked.resolve(() => response.writeHead(200, { "Api-Version": "1.41" }).end()) },
    });
    const controller = new AbortController();
    const [first, second] = [client.apiVersion(controller.signal), client.apiVersion()];
    const answer = await asked.promise;
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: "ABORTED" });
    answer();
    expect(await second).toBe("1.41");
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });
});

describe("request", () => {
  test("sends query, JSON and headers", async () => {
    const received: unknown[] = [];
    const { daemon, client } = await connect({
      routes: {
        async "POST /x"(request, response) {
          received.push(request.headers["content-type"], request.headers["x-registry-auth"], (await request.toArray()).join(""));
          response.writeHead(201).end(JSON.stringify({ Id: "1" }));
        },
      },
    });
    expect(
      await client.json({
        method: "POST",
        path: "/x",
        query: { all: true, n: 3, none: undefined, filters: { label: ["a=b"] } },
        json: { A: "ü" },
        headers: { "X-Registry-Auth": "e30" },
      }),
    ).toEqual({ Id: "1" });
    expect(received).toEqual(["application/json", "e30", '{"A":"ü"}']);
    expect(daemon.requests.at(-1)).toBe("POST /v1.41/x?all=true&n=3&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D");
  });

  test("uploads a stream", async () => {
    let length = 0;
    const { client } = await connect({
      routes: {
        async "PUT /archive"(request, response) {
          for await (const chunk of request) length += (chunk as Buffer).length;
          response.end();
        },
      },
    });
    await client.json({ method: "PUT", path: "/archive", body: Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(50_000))) });
    expect(length).toBe(3_200_000);
  });

  test("a body that fails fails the request and isn't left open", async () => {
    const { daemon, client } = await connect({ routes: { "PUT /archive": (request) => void request.resume() } });
    const body = Readable.from(
      (async function* () {
        yield Buffer.alloc(10);
        throw new Error("disk gone");
      })(),
    );
    await expect(client.json({ method: "PUT", path: "/archive", body })).rejects.toMatchObject({ code: "INTERNAL", cause: { message: "disk gone" } });
    expect(body.destroyed).toBe(true);
    await expect.poll(() => daemon.open()).toBe(0);
  });

  test("an error status rejects with the daemon's words; expected ones don't", async () => {
    const { client } = await connect({
      routes: { "GET /c": (_request, response) => response.writeHead(404).end(JSON.stringify({ message: "No such container: c" })) },
    });
    await expect(client.json({ path: "/c" })).rejects.toMatchObject({ code: "NOT_FOUND", message: "no such container: c" });
    const response = await client.request({ path: "/c", expect: [404] });
    expect(response.status).toBe(404);
    response.body.resume();
  });

  test("an error that is plain text is told, too", async () => {
    const { client } = await connect({ routes: { "GET /c": (_request, response) => response.writeHead(500).end("oh no\n") } });
    await expect(client.json({ path: "/c" })).rejects.toMatchObject({ code: "COMMAND_FAILED", message: "oh no" });
  });

  test("what is no JSON is WRONG_SERVER; nothing is undefined", async () => {
    const { client } = await connect({
      routes: { "GET /html": (_request, response) => response.end("<html>"), "GET /empty": (_request, response) => response.writeHead(204).end() },
    });
    await expect(client.json({ path: "/html" })).rejects.toMatchObject({ code: "WRONG_SERVER" });
    expect(await client.json({ path: "/empty" })).toBeUndefined();
  });

  test("a daemon that dies in the middle of a body is CONNECTION_LOST", async () => {
    const { client } = await connect({
      routes: {
        "GET /big"(_request, response) {
          response.writeHead(200, { "Content-Length": "1000" }).write("{");
          setImmediate(() => response.destroy());
        },
      },
    });
    await expect(client.json({ path: "/big" })).rejects.toMatchObject({ code: "CONNECTION_LOST", retryable: true });
  });

  test("an abort before the answer and in the middle of the body; nothing stays", async () => {
    const arrived = Promise.withResolvers<void>();
    const { daemon, client } = await connect({
      routes: { "GET /never": () => arrived.resolve(), "GET /half": (_request, response) => void response.writeHead(200).write("x") },
    });
    for (const path of ["/never", "/half"]) {
      const controller = new AbortController();
      const work = client.json({ path, signal: controller.signal }).catch((error: unknown) => error);
      await (path === "/never" ? arrived.promise : expect.poll(() => daemon.requests.at(-1)).toContain("/half"));
      controller.abort(new Error("enough"));
      expect(await work).toMatchObject({ code: "ABORTED", cause: { message: "enough" } });
      expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    }
    await expect.poll(() => daemon.open()).toBe(0);
  });

  test("a kept connection that the daemon closed is replaced", async () => {
    const seen = new Set<unknown>();
    const { daemon, client } = await connect({
      routes: {
        "GET /info"(request, response) {
          if (seen.has(request.socket)) return void request.socket.destroy();
          seen.add(request.socket);
          response.end("{}");
        },
      },
    });
    await client.json({ path: "/info" });
    expect(await client.json({ path: "/info" })).toEqual({});
    expect(daemon.accepted()).toBe(2);
  });

  test("close frees the connections, and nothing is sent any more", async () => {
    const { daemon, client } = await connect();
    await client.apiVersion();
    expect(daemon.open()).toBe(1);
    client.close();
    await expect.poll(() => daemon.open()).toBe(0);
    await expect(client.request({ path: "/info" })).rejects.toMatchObject({ code: "INTERNAL" });
  });
});
