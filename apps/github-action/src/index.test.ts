import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { runProgram } from "@anyrunner/exec";
import { afterEach, beforeEach, expect, test } from "vitest";

import { createTestJob, putCommandOnPath, type TestJob } from "./test-job.ts";

let job: TestJob;
beforeEach(async () => {
  job = await createTestJob();
});
afterEach(() => job.remove());

async function runAction(env: Readonly<Record<string, string>>) {
  const args = [join(import.meta.dirname, "index.ts")];
  const { exitCode, stdout } = await runProgram({
    command: process.execPath,
    args,
    env: { ...job.workflow(env).env, NODE_DISABLE_COMPILE_CACHE: "1" },
    timeoutMs: 60_000,
  });
  return { exitCode, lines: stdout.toString().trimEnd().split("\n") };
}

test("what fails is annotated with its code and hint", async () => {
  expect(await runAction({ INPUT_START: "perhaps" })).toEqual({
    exitCode: 1,
    lines: ['::error title=USAGE::the input start is "perhaps"%0Ahint: write true or false'],
  });
});

test("with a state it is the second half, whose failure fails no job", async () => {
  const folder = join(job.root, "temp/anyrunner-x");
  mkdirSync(folder);
  const { exitCode, lines } = await runAction({ STATE_folder: folder, STATE_command: await putCommandOnPath(job), STATE_address: "unix:///x", FAIL: "bridge" });
  expect([exitCode, lines.at(-1)]).toEqual([0, "::warning title=NOT_FOUND::there is no engine%0Ahint: start one"]);
});

test("without its input the version is the one of the command in this repository", async () => {
  const { exitCode, lines } = await runAction({ INPUT_START: "false" });
  expect([exitCode, lines[1]]).toEqual([0, expect.stringMatching(/^@anyrunner\/cli@\d+\.\d+\.\d+ in /)]);
});
