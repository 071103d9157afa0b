import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { startDetached } from "./start-detached.ts";

test("a detached program leads a group of its own and writes to the log", async () => {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-test-detached-"));
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 10 }));
  const logFile = join(folder, "state", "log");
  const pid = await startDetached({ command: process.execPath, args: ["-e", "console.log(process.env.WORD)"], env: { WORD: "said" }, cwd: folder, logFile });
  expect(pid).toBeGreaterThan(0);
  await expect.poll(() => readFile(logFile, "utf8")).toBe("said\n");
});

test("a program that isn't there is no failure", async () => {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-test-detached-"));
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 10 }));
  expect(await startDetached({ command: "/no/such/program", args: [], env: {}, cwd: folder, logFile: join(folder, "log") })).toBeUndefined();
});
