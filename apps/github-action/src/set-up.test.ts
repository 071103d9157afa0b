import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { setUp } from "./set-up.ts";
import { createTestJob, putCommandOnPath, type TestJob } from "./test-job.ts";

let job: TestJob;
beforeEach(async () => {
  job = await createTestJob();
});
afterEach(() => job.remove());

const { signal } = new AbortController();
const start = (env: Readonly<Record<string, string>> = {}) => setUp({ workflow: job.workflow(env), version: "1.2.3", signal, platform: "linux" });

/** What this run made below the folder of temporary files. */
async function folder(): Promise<string> {
  const [name = "", ...others] = await readdir(join(job.root, "temp"));
  expect(others).toEqual([]);
  return join(job.root, "temp", name);
}

describe("the runner of an input", () => {
  const SECRET = "hunter2hunter2";
  const INPUTS = { INPUT_RUNNER: `kube-pod://a?token=${SECRET}`, INPUT_DRIVERS: "kubernetes" };

  test("later steps find the command and the runner; the post step finds what to end", async () => {
    await start(INPUTS);
    const own = await folder();
    expect(await job.written("ENV")).toBe(
      `ANYRUNNER_HOME=${own}/home\n_EXPERIMENTAL_DAGGER_CLI_BIN=${own}/bin/anyrunner\n_EXPERIMENTAL_DAGGER_RUNNER_HOST=unix:///run/b.sock\n`,
    );
    expect(await job.written("PATH")).toBe(`${own}/bin\n`);
    expect(await job.written("OUTPUT")).toBe(
      `command=${own}/bin/anyrunner\nrunner=kube-pod://a?token=***\nrunner-host=unix:///run/b.sock\nengine-version=v0.21.8\n`,
    );
    expect(await job.written("STATE")).toBe(`folder=${own}\ncommand=${own}/bin/anyrunner\naddress=unix:///run/b.sock\n`);
    expect(await job.written("STEP_SUMMARY")).toContain("<code>kubernetes</code>");
    expect(job.lines.filter((line) => line.startsWith("::group::"))).toEqual([
      "::group::Install anyrunner",
      "::group::Add the driver kubernetes",
      "::group::Start the runner",
    ]);
  });

  test("its URL is in no argument, no other variable wins over it, and its secret is masked before anything runs", async () => {
    await start({ ...INPUTS, _EXPERIMENTAL_DAGGER_RUNNER_HOST: "tcp://other:1", DAGGER_SESSION_PORT: "1", DAGGER_SESSION_TOKEN: "t" });
    const own = await folder();
    const calls = await job.calls();
    expect(calls.map(({ args }) => args)).toEqual([
      ["drivers", "add", "kubernetes", "--json"],
      ["bridge", "--detach", "--log-file", join(own, "bridge.log"), "--rm", "--json"],
    ]);
    for (const { env } of calls) {
      expect(env).toMatchObject({ ANYRUNNER_RUNNER: INPUTS.INPUT_RUNNER, ANYRUNNER_HOME: join(own, "home") });
      expect(Object.keys(env).filter((name) => /^(INPUT|DAGGER_SESSION|_EXP)/.test(name))).toEqual([]);
    }
    expect(job.lines[0]).toBe(`::add-mask::${SECRET}`);
    expect(job.lines.slice(1).join("\n")).not.toContain(SECRET);
  });

  test("one that can't be reached fails as the command does, after what doctor says", async () => {
    await expect(start({ ...INPUTS, FAIL: "bridge" })).rejects.toMatchObject({ code: "NOT_FOUND", message: "there is no engine", hint: "start one" });
    expect((await job.calls()).map(({ args: [word] }) => word)).toEqual(["drivers", "bridge", "doctor"]);
    expect(job.lines).toEqual(expect.arrayContaining(["on the way", "::group::What doctor says", "failed  dial  nobody answers"]));
    expect(job.lines.indexOf("::add-path::/evil")).toBe(job.lines.findIndex((line) => line.startsWith("::stop-commands::")) + 1);
    expect(await job.written("STATE")).toContain("folder=");
  });
});

test("where a driver is missing, the hint has the input for it", async () => {
  const hint = "anyrunner drivers add kubernetes\nin a workflow, name the driver in the input drivers";
  await expect(start({ FAIL: "bridge", FAIL_CODE: "DRIVER_NOT_INSTALLED", FAIL_HINT: "anyrunner drivers add kubernetes" })).rejects.toMatchObject({ hint });
});

test("a password in a variable of the job is masked, too", async () => {
  await start({ DAGGER_RUNNER_HOST: "tcp://me:hunter2hunter2@given:1" });
  expect(job.lines[0]).toBe("::add-mask::hunter2hunter2");
});

test("without a runner the job's environment and the project choose; engine-stop: false keeps the engine", async () => {
  await start({ "INPUT_ENGINE-STOP": "false", DAGGER_RUNNER_HOST: "tcp://given:1", _EXPERIMENTAL_DAGGER_CLI_BIN: "/own/dagger" });
  const [bridge] = await job.calls();
  expect(bridge?.args).not.toContain("--rm");
  expect(bridge?.env).toMatchObject({ DAGGER_RUNNER_HOST: "tcp://given:1" });
  expect(await job.written("ENV")).not.toContain("CLI_BIN");
});

test("start: false leaves it at the command, which may be there already", async () => {
  const command = await putCommandOnPath(job);
  await start({ INPUT_INSTALL: "false", INPUT_START: "false" });
  expect(await job.calls()).toEqual([]);
  expect(await job.written("OUTPUT")).toBe(`command=${command}\n`);
  expect(await job.written("PATH")).toBe(`${dirname(command)}\n`);
});

test("an npm that fails is quoted", async () => {
  await expect(start({ FAIL_NPM: "1" })).rejects.toMatchObject({
    code: "COMMAND_FAILED",
    message: "npm install @anyrunner/cli@1.2.3 ended with 1: 404 Not Found",
  });
});

test("Windows is refused", async () => {
  await expect(setUp({ workflow: job.workflow(), version: "1.2.3", signal, platform: "win32" })).rejects.toMatchObject({ code: "UNSUPPORTED" });
});

test("a job that was cancelled before starts nothing", async () => {
  await expect(setUp({ workflow: job.workflow(), version: "1.2.3", signal: AbortSignal.abort(), platform: "linux" })).rejects.toMatchObject({
    code: "ABORTED",
  });
  expect(await job.calls()).toEqual([]);
});
