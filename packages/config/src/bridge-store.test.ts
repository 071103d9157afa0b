import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openBridgeStore } from "./bridge-store.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "anyrunner-bridges-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const open = () => openBridgeStore({ env: { HOME: home } });
/** Above the largest number that a kernel gives. */
const NOBODY = 2 ** 22 + 1;
const bridge = (address: string, pid = process.pid) => ({ address, runner: "docker-container://lab", pid });

test("the latest bridge of a URL that lives is found, by that URL only", async () => {
  await open().add("docker-container://lab", bridge("unix:///a.sock"));
  await open().add("docker-container://lab", bridge("unix:///b.sock"));
  await open().add("docker-container://lab?context=far", bridge("unix:///c.sock"));
  expect(await open().find("docker-container://lab")).toEqual(bridge("unix:///b.sock"));
  await open().remove("unix:///b.sock");
  expect(await open().find("docker-container://lab")).toEqual(bridge("unix:///a.sock"));
  expect(await open().find("docker-container://other")).toBeUndefined();
});

test("a bridge whose process is gone is not found, and forgotten with the next one", async () => {
  await open().add("kube-pod://engine", bridge("unix:///dead.sock", NOBODY));
  expect(await open().find("kube-pod://engine")).toBeUndefined();
  expect(await open().add("kube-pod://other", bridge("unix:///new.sock"))).toEqual([bridge("unix:///dead.sock", NOBODY)]);
  expect(await open().add("kube-pod://other", bridge("unix:///new.sock"))).toEqual([]);
});

test("a bridge is found by its address while its process lives", async () => {
  await open().add("kube-pod://engine", bridge("unix:///a.sock"));
  await open().add("kube-pod://other", bridge("unix:///dead.sock", NOBODY));
  expect(await open().at("unix:///a.sock")).toEqual(bridge("unix:///a.sock"));
  expect(await open().at("unix:///dead.sock")).toBeUndefined();
  expect(await open().at("unix:///b.sock")).toBeUndefined();
});

test("the file is the user's alone and holds no secret of the URL", async () => {
  const store = open();
  await store.add("tls://host:1?token=hush-hush", bridge("unix:///a.sock"));
  expect((await stat(store.file)).mode & 0o777).toBe(0o600);
  expect(await readFile(store.file, "utf8")).not.toContain("hush");
  expect(await store.find("tls://host:1?token=hush-hush")).toBeDefined();
});

test.each(["", "{", '{"bridges": 1}', '{"bridges": [{"address": "unix:///a", "pid": "1"}, null]}'])("a file with %j holds none", async (text) => {
  const store = open();
  await store.add("x://y", bridge("unix:///a.sock"));
  await writeFile(store.file, text);
  expect(await store.find("x://y")).toBeUndefined();
  await store.add("x://y", bridge("unix:///b.sock"));
  expect(await store.find("x://y")).toEqual(bridge("unix:///b.sock"));
});
