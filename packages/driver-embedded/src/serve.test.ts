import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { callUnary, Control, openHttp2Connection } from "@anyrunner/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createFakeExecutor } from "./executor/fake-executor.ts";
import { serveEmbedded, type EmbeddedServer } from "./serve.ts";
import { createBlobStore } from "./tree/blob-store.ts";

let folder: string;
let servers: EmbeddedServer[];

beforeEach(async () => {
  servers = [];
  folder = await mkdtemp(join(tmpdir(), "anyrunner-serve-"));
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(folder, { recursive: true });
});

async function serve(listen: { path: string } | { host: string; port: number }): Promise<EmbeddedServer> {
  const server = await serveEmbedded({
    listen,
    state: join(folder, "state"),
    executor: createFakeExecutor({ store: createBlobStore(join(folder, "blobs")) }),
    name: "mine",
  });
  servers.push(server);
  return server;
}

async function revision(where: string | number): Promise<string | undefined> {
  const connection = openHttp2Connection(typeof where === "string" ? connect(where) : connect(where, "127.0.0.1"));
  const { buildkitVersion } = await callUnary(connection, Control.info, {});
  connection.destroy();
  return buildkitVersion?.revision;
}

test("a Unix socket is for its user alone and answers as an engine", async () => {
  const path = join(folder, "engine.sock");
  const server = await serve({ path });
  expect(server.url).toBe(`unix://${path}`);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await revision(path)).toBe("mine");
});

test("where it can't listen, it leaves nothing of its engine", async () => {
  const executor = createFakeExecutor({ store: createBlobStore(join(folder, "blobs")) });
  const close = vi.spyOn(executor, "close");
  await writeFile(join(folder, "file"), "mine");
  await expect(serveEmbedded({ listen: { path: join(folder, "file") }, state: join(folder, "state"), executor })).rejects.toMatchObject({
    code: "ALREADY_EXISTS",
  });
  expect(close).toHaveBeenCalledOnce();
  expect(await readFile(join(folder, "file"), "utf8")).toBe("mine");
});

test("a TCP port of the system's choice is told", async () => {
  const server = await serve({ host: "127.0.0.1", port: 0 });
  expect(await revision(Number(server.url.split(":").at(-1)))).toBe("mine");
});

test("a socket that somebody answers on is left alone, one that nobody answers on is taken over", async () => {
  const path = join(folder, "engine.sock");
  await serve({ path });
  await expect(serve({ path })).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  const stale = join(folder, "stale.sock");
  // What a killed daemon leaves: a socket file without a listener.
  const dead = createServer();
  await new Promise<void>((resolve) => dead.listen(join(folder, "dead.sock"), resolve));
  await writeFile(stale, "");
  await new Promise<void>((resolve) => dead.close(() => resolve()));
  await rm(stale);
  expect((await serve({ path: stale })).url).toBe(`unix://${stale}`);
});
