import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RunnerHandle } from "@anyrunner/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import { LEASE_MS, openEngineUses } from "./engine-uses.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "anyrunner-test-uses-"));
});
afterEach(() => rm(home, { recursive: true }));

const START = Date.parse("2026-11-25T00:00:00Z");
const handle: RunnerHandle = { driver: "docker", id: "one", endpoint: {}, owned: true, labels: {} };

test("a session is counted until it is released, and its end is the last use", async () => {
  let now = START;
  const uses = openEngineUses({ env: { HOME: home }, now: () => now });
  const lease = await uses.lease(handle);
  expect(await uses.list()).toMatchObject([{ handle, sessions: 1 }]);
  now += 60_000;
  await lease.release();
  expect(await uses.list()).toEqual([{ handle, usedAt: START + 60_000, sessions: 0 }]);
  expect(await readdir(uses.folder)).toHaveLength(1);
});

test("last uses are told by the ids of one driver", async () => {
  const uses = openEngineUses({ env: { HOME: home }, now: () => START });
  await uses.touch(handle);
  await uses.touch({ ...handle, driver: "podman", id: "two" });
  expect([...(await uses.lastUses("podman"))]).toEqual([["two", START]]);
});

test("a lease that nobody renews ends", async () => {
  const uses = openEngineUses({ env: { HOME: home }, now: () => START });
  const lease = await uses.lease(handle);
  const [file = ""] = (await readdir(uses.folder)).filter((name) => name.endsWith(".lease"));
  const long = new Date(START - LEASE_MS - 1);
  await utimes(join(uses.folder, file), long, long);
  expect(await uses.list()).toEqual([{ handle, usedAt: START, sessions: 0 }]);
  await lease.release();
});

test("an engine is forgotten", async () => {
  const uses = openEngineUses({ env: { HOME: home }, now: () => START });
  await uses.touch(handle);
  await uses.forget(handle);
  expect(await uses.list()).toEqual([]);
});

test("what can't be written fails nobody", async () => {
  const uses = openEngineUses({ env: { HOME: "/dev/null" } });
  await (await uses.lease(handle)).release();
  expect(await uses.list()).toEqual([]);
});
