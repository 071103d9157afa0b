import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";

import { createEngineDouble } from "@anyrunner/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

const driverFolder = path.resolve(import.meta.dirname, "..");
const engine = createEngineDouble();
let project: string;

beforeAll(async () => {
  project = await mkdtemp(path.join(tmpdir(), "toy-project-"));
  const address = new URL(await engine.listen()).host;
  await writeFile(path.join(project, "runners.json"), JSON.stringify({ one: address }));
  await writeFile(path.join(project, "anyrunner.config.yaml"), `runner: toy://one\ndrivers:\n  - ${driverFolder}\n`);
});
afterAll(async () => {
  await engine.kill();
  await rm(project, { recursive: true, force: true, maxRetries: 10 });
});

test("a project uses the driver through the command, once the user has allowed it", async () => {
  const refused = await anyrunner(["query"], "{ version }");
  expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
  expect(refused.stderr).toContain("anyrunner drivers trust");
  expect(engine.arrivals).toEqual([]);

  expect(await anyrunner(["drivers", "trust", path.join(driverFolder, "src/index.ts")])).toMatchObject({ exitCode: 0 });
  const answered = await anyrunner(["query"], "{ version }");
  expect(answered.stderr).toContain("toy://one");
  expect(JSON.parse(answered.stdout)).toEqual({ version: "v0.21.8" });
});

async function anyrunner(args: readonly string[], input = "") {
  const command = path.resolve(driverFolder, "../../apps/cli/src/bin.ts");
  const env = { PATH: process.env["PATH"], HOME: project };
  const child = spawn(process.execPath, [command, ...args], { cwd: project, env });
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { exitCode: child.exitCode, stdout, stderr };
}
