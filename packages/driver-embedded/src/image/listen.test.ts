import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { listenFor, parseListenAddress } from "./listen.ts";

test.each([
  ["unix:///run/a.sock", { path: "/run/a.sock" }],
  ["tcp://0.0.0.0:1234", { host: "0.0.0.0", port: 1234 }],
  ["tcp://[::1]:0", { host: "::1", port: 0 }],
])("%s", (text, address) => {
  expect(parseListenAddress(text)).toEqual(address);
});

test.each(["", "unix://relative", "unix:///", "tcp://host", "tcp://:1", "tcp://h:65536", "http://h:1"])("%j is no address", (text) => {
  expect(() => parseListenAddress(text)).toThrow("is no address to listen on");
});

test("a socket of a dead process makes way, and closing ends what is connected", async () => {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-listen-"));
  const path = join(folder, "a.sock");
  const first = await listenFor({ path }, () => {});
  const second = await listenFor({ path }, (socket) => socket.write("second"));
  const client = connect(path);
  expect(String((await once(client, "data"))[0])).toBe("second");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const closed = once(client, "close");
  await Promise.all([second.close(), first.close()]);
  await closed;
  await rm(folder, { recursive: true });
});

test("a port that the system chose is told", async () => {
  const listener = await listenFor({ host: "127.0.0.1", port: 0 }, () => {});
  expect(listener.url).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
  await listener.close();
});
