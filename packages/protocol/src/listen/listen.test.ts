import { once } from "node:events";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fork } from "node:child_process";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { formatListenUrl, MAX_SOCKET_PATH_BYTES, parseListenUrl } from "./listen-address.ts";
import { openListener, type Listener } from "./open-listener.ts";

let folder: string;
let listeners: Listener[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-listen-"));
  listeners = [];
});
afterEach(async () => {
  await Promise.all(listeners.map((listener) => listener.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function listen(url: string): Promise<Listener> {
  const listener = await openListener({ address: parseListenUrl(url), onStream: (stream) => stream.end("hello") });
  listeners.push(listener);
  return listener;
}

async function said(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of connect(path)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe("addresses", () => {
  test.each([
    ["unix:///run/a.sock", { kind: "unix", path: "/run/a.sock" }],
    ["tcp://127.0.0.1:0", { kind: "tcp", host: "127.0.0.1", port: 0 }],
    ["TLS://[::1]:8443", { kind: "tls", host: "::1", port: 8443 }],
    ["tls://my-host.example:443", { kind: "tls", host: "my-host.example", port: 443 }],
  ])("%s", (text, address) => expect(parseListenUrl(text)).toEqual(address));

  test.each([
    "",
    "unix://",
    "unix://relative",
    "unix:///folder/",
    "tcp://127.0.0.1",
    "tcp://:1",
    "tcp://h:65536",
    "tcp://[::zz]:1",
    "tcp://h:1/x",
    "tcp://h:1?a",
    "http://h:1",
  ])("%s is none", (text) => expect(() => parseListenUrl(text)).toThrow(expect.objectContaining({ code: "USAGE" })));

  test("a path that no socket can have is refused before it is tried", () => {
    const path = (bytes: number) => `unix:///${"x".repeat(bytes - 1)}`;
    expect(parseListenUrl(path(MAX_SOCKET_PATH_BYTES))).toBeDefined();
    expect(() => parseListenUrl(path(MAX_SOCKET_PATH_BYTES + 1))).toThrow(/the system takes/);
  });

  test("what is written is understood again (property)", () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    const address = fc.record({ kind: fc.constantFrom("tcp" as const, "tls" as const), host, port: fc.nat(65_535) });
    fc.assert(
      fc.property(address, (value) => {
        expect(parseListenUrl(formatListenUrl(value))).toEqual(value);
      }),
    );
  });

  test("whatever text comes, it is understood or refused as usage (property)", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `tcp://${text}`),
          fc.string().map((text) => `unix:///${text}`),
        ),
        (text) => {
          try {
            expect(["unix", "tcp", "tls"]).toContain(parseListenUrl(text).kind);
          } catch (error) {
            expect(error).toMatchObject({ code: "USAGE" });
          }
        },
      ),
    );
  });
});

describe("sockets", () => {
  test("a socket and the folders that it needs are for this user alone", async () => {
    const path = join(folder, "deep", "er", "a.sock");
    const listener = await listen(`unix://${path}`);
    expect(listener.url).toBe(`unix://${path}`);
    expect(await said(path)).toBe("hello");
    const modes = await Promise.all([path, join(folder, "deep", "er"), join(folder, "deep")].map(async (name) => (await stat(name)).mode & 0o777));
    expect(modes).toEqual([0o600, 0o700, 0o700]);
    await listener.stop();
    await expect(stat(path)).rejects.toThrow(/ENOENT/);
  });

  test("one that a killed process left makes way; a live one, and another file, don't", async () => {
    const path = join(folder, "a.sock");
    const script = join(folder, "leave.mjs");
    await writeFile(script, `import { createServer } from "node:net"; createServer().listen(process.argv[2], () => process.kill(process.pid, "SIGKILL"));`);
    await once(fork(script, [path], { execArgv: [] }), "exit");
    expect((await stat(path)).isSocket()).toBe(true);
    await listen(`unix://${path}`);
    expect(await said(path)).toBe("hello");
    await expect(listen(`unix://${path}`)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    expect(await said(path)).toBe("hello");

    const file = join(folder, "file");
    await writeFile(file, "mine");
    await expect(listen(`unix://${file}`)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    await mkdir(join(folder, "folder"));
    await expect(listen(`unix://${join(folder, "folder")}`)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    await expect(listen(`unix://${join(file, "a.sock")}`)).rejects.toMatchObject({ code: expect.stringMatching(/NOT_FOUND|ALREADY_EXISTS/) as string });
  });

  test("a port that is taken is named", async () => {
    const first = await listen("tcp://127.0.0.1:0");
    expect(first.url).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
    await expect(listen(first.url)).rejects.toMatchObject({ code: "ALREADY_EXISTS", message: expect.stringContaining(first.url) as string });
  });
});
