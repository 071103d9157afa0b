import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RunnerHandle } from "@anyrunner/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import { openHandleStore } from "./handle-store.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "handles-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const handle = (id: string, labels = {}): RunnerHandle => ({ driver: "docker", id, endpoint: { name: id }, owned: true, labels });
const store = () => openHandleStore({ env: { HOME: home, XDG_STATE_HOME: home } });

test("a handle is there for another process; the file is the user's alone", async () => {
  await store().remember({ url: "docker-image://x", handle: handle("a") });
  expect(await store().read()).toEqual([{ url: "docker-image://x", handle: handle("a") }]);
  expect((await stat(store().file)).mode & 0o777).toBe(0o600);
});

test("a URL leads to one handle, the latest; nothing new is not written", async () => {
  await store().remember({ url: "u", handle: handle("a") });
  await store().remember({ url: "v", handle: handle("b") });
  await store().remember({ url: "u", handle: handle("c") });
  expect((await store().read()).map(({ url, handle: { id } }) => [url, id])).toEqual([
    ["v", "b"],
    ["u", "c"],
  ]);
  const { mtimeNs } = await stat(store().file, { bigint: true });
  await store().remember({ url: "u", handle: handle("c") });
  expect((await stat(store().file, { bigint: true })).mtimeNs).toBe(mtimeNs);
});

test("forgetting takes every URL of that runner", async () => {
  for (const url of ["u", "v"]) await store().remember({ url, handle: handle("a") });
  await store().remember({ url: "w", handle: handle("b") });
  await store().forget(handle("a"));
  await store().forget(handle("absent"));
  expect((await store().read()).map(({ url }) => url)).toEqual(["w"]);
});

test("a broken file is no memory, and is replaced", async () => {
  await store().remember({ url: "u", handle: handle("a") });
  await writeFile(store().file, "{");
  expect(await store().read()).toEqual([]);
  await store().remember({ url: "v", handle: handle("b") });
  expect(JSON.parse(await readFile(store().file, "utf8"))).toMatchObject({ handles: [{ url: "v" }] });
});
