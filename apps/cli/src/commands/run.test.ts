import { readFile } from "node:fs/promises";

import { createEngineDouble, type EngineDouble } from "@anyrunner/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { createCliHarness, streamsClosed, type CliHarness } from "../test-cli.ts";

let cli: CliHarness;
let double: EngineDouble;
let runner: string;
beforeAll(async () => {
  cli = await createCliHarness();
});
afterAll(() => cli.remove());
beforeEach(async () => {
  double = createEngineDouble();
  runner = await double.listen();
});
afterEach(async () => {
  // Whatever happened, the engine is left alone by it.
  await streamsClosed(double);
  await double.kill();
});

const shell = (script: string, ...flags: string[]) => ["run", "--runner", runner, ...flags, "--", "sh", "-c", script];

/** A zombie that nobody has buried yet doesn't count. */
async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status !== "" && !/\) Z /.test(status);
}

describe("the command", () => {
  test("gets a session and our standard input; its output and exit code are ours", async () => {
    const script = 'cat; echo "port=$DAGGER_SESSION_PORT token=${#DAGGER_SESSION_TOKEN} trace=$TRACEPARENT"; echo oops >&2; exit 7';
    const result = await cli.run(shell(script), { input: "from stdin\n" });
    expect(result.exitCode).toBe(7);
    expect(result.stdout).toMatch(/^from stdin\nport=\d+ token=36 trace=00-[0-9a-f]{32}-[0-9a-f]{16}-01\n$/);
    expect(result.stderr.split("\n")).toEqual([`runner ${runner} · engine v0.21.8 · from flag --runner`, "oops", ""]);
    expect([double.count("upgrade"), double.count("shutdown")]).toEqual([1, 1]);
  });

  test("reaches the engine through the session", async () => {
    const script = `const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = process.env;
      const answer = await fetch(\`http://127.0.0.1:\${port}/query\`, { method: "POST", body: '{"query":"{version}"}', headers: { "content-type": "application/json", authorization: "Basic " + btoa(token + ":") } });
      console.log(await answer.text());`;
    const result = await cli.run(["run", "--runner", runner, "--silent", "--", process.execPath, "--input-type=module", "--eval", script]);
    expect(result).toEqual({ exitCode: 0, stdout: '{"data":{"version":"v0.21.8"}}\n', stderr: "" });
  });

  test("gets its own flags untouched", async () => {
    const result = await cli.run(["run", "--runner", runner, "echo", "--runner", "x", "--json", "--help"]);
    expect(result).toMatchObject({ exitCode: 0, stdout: "--runner x --json --help\n" });
  });

  test("that a signal ends gives 128 + n", async () => {
    expect((await cli.run(shell("kill -9 $$"))).exitCode).toBe(137);
  });

  test("that doesn't exist is named, after the session has been closed", async () => {
    const result = await cli.run(["run", "--runner", runner, "--", "anyrunner-no-such-program"]);
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(result.stderr).toContain('error: program "anyrunner-no-such-program" was not found\nhint: install');
    expect(double.count("shutdown")).toBe(1);
  });

  test("works in --workdir", async () => {
    expect((await cli.run(["run", "--runner", runner, "--workdir", "/", "--", "pwd"])).stdout).toBe("/\n");
  });
});

describe("signals", () => {
  test.each([["SIGINT"], ["SIGTERM"], ["SIGHUP"]] as const)("%s is passed on, and the command's answer counts", async (signal) => {
    const running = await cli.start(shell(`trap 'echo got it; exit 5' ${signal.slice(3)}; echo ready; while :; do sleep 0.1; done`));
    await running.waitFor("ready");
    running.kill(signal);
    expect(await running.ended).toMatchObject({ exitCode: 5, stdout: "ready\ngot it\n" });
    expect(double.count("shutdown")).toBe(1);
  });

  test("a command that doesn't obey is killed after --cleanup-timeout, with what it started", async () => {
    const running = await cli.start(shell("trap '' TERM; sh -c 'trap \"\" TERM; echo child $$; sleep 60' & wait; wait", "--cleanup-timeout", "200ms"));
    await running.waitFor("child");
    running.kill("SIGTERM");
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(137);
    const child = Number(/child (\d+)/.exec(stdout)?.[1]);
    await vi.waitFor(async () => expect(await isRunning(child)).toBe(false), { timeout: 60_000 });
  });

  test("a second SIGINT doesn't wait for a command that goes on: it is killed at once, with what it started", async () => {
    const running = await cli.start(
      shell("trap 'echo asked' INT; sh -c 'trap \"\" INT; echo child $$; sleep 600' & while :; do wait; done", "--cleanup-timeout", "10m"),
    );
    await running.waitFor("child");
    running.kill("SIGINT");
    await running.waitFor("asked");
    running.kill("SIGINT");
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(137);
    expect(double.count("shutdown")).toBe(1);
    const child = Number(/child (\d+)/.exec(stdout)?.[1]);
    await vi.waitFor(async () => expect(await isRunning(child)).toBe(false), { timeout: 60_000 });
  });

  test("an interrupt while connecting ends with 130", async () => {
    double.setFaults([{ at: "info", action: "hang" }]);
    const running = await cli.start(shell("echo never"));
    await vi.waitFor(() => expect(double.count("info")).toBe(1), { timeout: 60_000 });
    running.kill("SIGINT");
    expect(await running.ended).toMatchObject({ exitCode: 130, stdout: "" });
  });

  test("SIGKILL leaves the engine no stream", async () => {
    const running = await cli.start(shell("echo pid $$; exec sleep 60"));
    await running.waitFor("pid");
    running.kill("SIGKILL");
    await streamsClosed(double);
    // Nothing can be done for a command whose parent is killed so; its session is gone.
    process.kill(Number(/pid (\d+)/.exec(running.stdout())?.[1]), "SIGKILL");
    expect((await running.ended).exitCode).toBe(137);
  });
});

describe("a session that dies", () => {
  test("ends the command; the exit code is 1 and the error says why", async () => {
    const running = await cli.start(shell("echo pid $$; trap 'exit 0' TERM; while :; do sleep 0.1; done"));
    await running.waitFor("pid");
    await double.kill();
    const { exitCode, stdout, stderr } = await running.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: .*127\.0\.0\.1/m);
    expect(stderr).toContain("#connection_lost");
    expect(await isRunning(Number(/pid (\d+)/.exec(stdout)?.[1]))).toBe(false);
  });

  test("is told to programs as JSON", async () => {
    const running = await cli.start(shell("echo ready; exec sleep 60", "--json", "--progress", "json"));
    await running.waitFor("ready");
    await double.kill();
    const lines = (await running.ended).stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type?: string; error?: { code: string } });
    expect(lines[0]).toMatchObject({ type: "runner", runner, engine: "v0.21.8", from: { kind: "flag", name: "--runner" } });
    expect(lines.at(-1)).toMatchObject({ error: { code: "CONNECTION_LOST" } });
  });
});

test("inside a session the command joins it, and no engine is asked", async () => {
  const env = { DAGGER_SESSION_PORT: "4444", DAGGER_SESSION_TOKEN: "token", _EXPERIMENTAL_DAGGER_RUNNER_HOST: runner };
  const result = await cli.run(["run", "--", "sh", "-c", "echo $DAGGER_SESSION_PORT $DAGGER_SESSION_TOKEN; exit 3"], { env });
  expect(result).toEqual({ exitCode: 3, stdout: "4444 token\n", stderr: "session on 127.0.0.1:4444 · from the surrounding session (DAGGER_SESSION_PORT)\n" });
  expect(double.count("stream")).toBe(0);
});
