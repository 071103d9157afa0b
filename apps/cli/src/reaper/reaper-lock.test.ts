import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { findReaper, takeReaperLock } from "./reaper-lock.ts";

let env: { readonly HOME: string };
beforeEach(async () => {
  env = { HOME: await mkdtemp(join(tmpdir(), "anyrunner-test-reaper-")) };
});
afterEach(() => rm(env.HOME, { recursive: true }));

const lockFile = () => join(env.HOME, ".local", "state", "anyrunner", "reaper.lock");

test("one reaper at a time", async () => {
  const lock = await takeReaperLock({ env });
  expect(await takeReaperLock({ env })).toBeUndefined();
  expect(await findReaper({ env })).toBe(process.pid);
  expect(await lock?.renew()).toBe(true);
  await lock?.release();
  expect(await findReaper({ env })).toBeUndefined();
});

test("one that is dead, or slept, is followed by another, and then ends", async () => {
  const lock = await takeReaperLock({ env });
  const long = new Date(Date.now() - 3_600_000);
  await utimes(lockFile(), long, long);
  const next = await takeReaperLock({ env });
  expect(next).toBeDefined();
  expect(await lock?.renew()).toBe(false);
  await lock?.release();
  expect(await next?.renew()).toBe(true);
  await writeFile(lockFile(), "999999999 x\n");
  expect(await takeReaperLock({ env })).toBeDefined();
});
