import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createEngineDouble, type EngineDouble } from "@anyrunner/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { CommandContext } from "./command-context.ts";
import { bridgeCommand } from "./commands/bridge.ts";
import { runCommand } from "./commands/run.ts";

let home: string;
let engine: EngineDouble;
let runner: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "anyrunner-cli-"));
  engine = createEngineDouble();
  runner = await engine.listen();
});
afterEach(async () => {
  await engine.kill();
  await rm(home, { recursive: true });
});

/** The first line says what was opened; the command that it is for has not started then. A signal comes at that moment. */
const interruptedAtOnce = (): CommandContext => ({
  env: { HOME: home, PATH: process.env["PATH"] },
  cwd: home,
  json: false,
  progress: "auto",
  telemetryFile: undefined,
  version: "1.2.3",
  columns: undefined,
  report: () => {},
  print: () => {},
  note: () => process.listeners("SIGTERM").at(-1)?.("SIGTERM"),
});

const options = { cleanupTimeoutMs: 1000, insecureTcp: false };
test.each([
  ["run", () => runCommand(interruptedAtOnce(), { ...options, runner, command: ["sleep", "300"] })],
  ["bridge --exec", () => bridgeCommand(interruptedAtOnce(), { ...options, runner, exec: true, command: ["sleep", "300"] })],
  ["bridge", () => bridgeCommand(interruptedAtOnce(), { ...options, runner, exec: false, command: [] })],
])("%s: a signal that comes before the command has started is not lost", async (_, command) => {
  await expect(command()).rejects.toMatchObject({ code: "ABORTED" });
  await expect.poll(() => engine.streamCount()).toBe(0);
});
