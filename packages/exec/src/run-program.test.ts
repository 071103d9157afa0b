import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { RunnerError } from "@anyrunner/core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";

import { runProgram } from "./run-program.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-exec-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const shell = (script: string, options: Partial<Parameters<typeof runProgram>[0]> = {}) => runProgram({ command: "sh", args: ["-c", script], ...options });

async function failure(promise: Promise<unknown>): Promise<RunnerError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!RunnerError.is(error)) throw new Error(`expected a RunnerError, got ${String(error)}`);
  return error;
}

/** A zombie that nobody has reaped yet counts as gone. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return /^State:\s+[^ZX]/m.test(status);
}

/** A number that a program writes to a file, once it is there whole. */
async function numberIn(file: string): Promise<number> {
  await expect.poll(() => readFile(file, "utf8").catch(() => "")).toMatch(/\n$/);
  return Number(await readFile(file, "utf8"));
}

describe("runProgram", () => {
  test("gives exit code, exact bytes of standard output, and standard error", async () => {
    const result = await shell("printf 'a\\000b\\n'; echo oops >&2; exit 3");
    expect(result).toEqual({ exitCode: 3, stdout: Buffer.from("a\0b\n"), stderr: "oops\n" });
  });

  test("passes input and the given environment, and nothing else of ours", async () => {
    process.env["ANYRUNNER_TEST_LEAK"] = "1";
    const result = await shell("cat; echo $GREETING$ANYRUNNER_TEST_LEAK", {
      input: "in ",
      env: { PATH: process.env["PATH"], GREETING: "hello", GONE: undefined },
    });
    delete process.env["ANYRUNNER_TEST_LEAK"];
    expect(result.stdout.toString()).toBe("in hello\n");
  });

  test("survives a program that doesn't read its input", async () => {
    expect(await runProgram({ command: "true", input: Buffer.alloc(4 * 1024 * 1024) })).toMatchObject({ exitCode: 0 });
  });

  test("names a program that is missing, without its arguments", async () => {
    const error = await failure(runProgram({ command: "anyrunner-no-such-program", args: ["--password", "hunter2"], input: "hunter3" }));
    expect(error).toMatchObject({ code: "NOT_FOUND", message: 'program "anyrunner-no-such-program" was not found' });
    expect(JSON.stringify([error, error.message, error.stack, String(error.cause)])).not.toMatch(/hunter/);
  });

  test("tells a missing folder from a missing program", async () => {
    const error = await failure(shell("true", { cwd: join(folder, "absent") }));
    expect(error.code).toBe("NOT_FOUND");
    expect(error.message).toContain("folder");
  });

  test("a file that may not be executed is PERMISSION_DENIED", async () => {
    const file = join(folder, "plain.sh");
    await writeFile(file, "#!/bin/sh\n", { mode: 0o644 });
    expect((await failure(runProgram({ command: file }))).code).toBe("PERMISSION_DENIED");
  });

  test("an end by signal is 128 + n", async () => {
    expect((await shell("kill -9 $$")).exitCode).toBe(137);
  });

  test("bounds standard output and keeps only the end of standard error", async () => {
    const error = await failure(shell("head -c 100000 /dev/zero; sleep 60", { maxOutputBytes: 1000 }));
    expect(error).toMatchObject({ code: "COMMAND_FAILED", details: { maxOutputBytes: 1000 } });
    const result = await shell("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end >&2");
    expect(result.stderr.length).toBe(16 * 1024);
    expect(result.stderr.endsWith("xend\n")).toBe(true);
  });

  test("hides secrets in standard error", async () => {
    expect((await shell("echo token hunter2 >&2", { secrets: ["hunter2"] })).stderr).toBe("token ***\n");
  });

  test("a budget that runs out is TIMEOUT, and the whole group is gone", async () => {
    // The budget must not be over before the program has got ready, however slow the machine.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    const file = join(folder, "pids");
    const running = failure(shell(`trap '' TERM; sleep 60 & echo $! > ${file}; sleep 60`, { timeoutMs: 3_600_000, graceMs: 50 }));
    const pid = await numberIn(file);
    vi.advanceTimersByTime(3_600_000);
    expect((await running).code).toBe("TIMEOUT");
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test("an abort rejects with ABORTED after the program has gone", async () => {
    const controller = new AbortController();
    const file = join(folder, "started");
    const running = failure(shell(`echo $$ > ${file}; exec sleep 60`, { signal: controller.signal }));
    const pid = await numberIn(file);
    controller.abort();
    expect((await running).code).toBe("ABORTED");
    expect(await isAlive(pid)).toBe(false);
  });

  test("a signal that is aborted already starts nothing", async () => {
    const file = join(folder, "never");
    expect((await failure(shell(`touch ${file}`, { signal: AbortSignal.abort() }))).code).toBe("ABORTED");
    expect((await runProgram({ command: "test", args: ["-e", file] })).exitCode).toBe(1);
  });

  test("an escaped grandchild that holds the pipes doesn't hold us", async () => {
    const error = await failure(shell("setsid sleep 5 & wait", { timeoutMs: 200, graceMs: 50 }));
    expect(error.code).toBe("TIMEOUT");
  });

  test("leaves no listener behind", async () => {
    const before = process.listenerCount("exit");
    await Promise.all(Array.from({ length: 12 }, () => shell("true")));
    expect(process.listenerCount("exit")).toBe(before);
  });
});
