import { text } from "node:stream/consumers";

import { describe, expect, test } from "vitest";

import { signalExitCode } from "./signal-exit-code.ts";
import { spawnProgram } from "./spawn-program.ts";

const shell = (script: string, options: Partial<Parameters<typeof spawnProgram>[0]> = {}) =>
  spawnProgram({ command: "sh", args: ["-c", script], stdio: "pipe", ...options });

describe("spawnProgram", () => {
  test("connects the streams and reports the exit code", async () => {
    const program = await shell("cat; exit 5");
    program.stdin?.end("hello");
    expect(await text(program.stdout!)).toBe("hello");
    expect(await program.exited).toEqual({ exitCode: 5, signal: undefined });
  });

  test("a missing program rejects and names it", async () => {
    await expect(spawnProgram({ command: "anyrunner-no-such-program", stdio: "ignore" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("anyrunner-no-such-program"),
    });
  });

  test.each([
    ["a folder that isn't there", { command: "true", cwd: "/no/such/folder" }, "NOT_FOUND", "the folder /no/such/folder does not exist"],
    ["a file that isn't executable", { command: "/etc/passwd" }, "PERMISSION_DENIED", "may not be executed"],
    ["a folder instead of a program", { command: "/etc" }, "PERMISSION_DENIED", "may not be executed"],
    ["a file as a folder", { command: "true", cwd: "/etc/passwd" }, "NOT_FOUND", "the folder /etc/passwd does not exist"],
    ["an argument that no system takes", { command: "true", args: ["a\0b"] }, "COMMAND_FAILED", "could not be started"],
    ["more arguments than fit", { command: "true", args: ["x".repeat(8_000_000)] }, "COMMAND_FAILED", "E2BIG"],
  ])("%s is a typed error", async (_, options, code, message) => {
    await expect(spawnProgram({ stdio: "pipe", ...options })).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test("writing to a program that is gone breaks nothing", async () => {
    const program = await shell("exit 0");
    await program.exited;
    await new Promise<void>((resolve) => program.stdin?.write("late", () => resolve()));
  });

  test("kill reaches what the program started", async () => {
    const program = await shell("sleep 60 & echo started; wait");
    program.stdout?.once("data", () => program.kill("SIGTERM"));
    expect(await text(program.stdout!)).toBe("started\n");
    expect(await program.exited).toEqual({ exitCode: undefined, signal: "SIGTERM" });
  });

  test("end escalates to SIGKILL", async () => {
    const program = await shell("trap '' TERM; echo ready; while :; do sleep 1; done");
    await new Promise((resolve) => program.stdout?.once("data", resolve));
    expect(await program.end({ graceMs: 50 })).toEqual({ exitCode: undefined, signal: "SIGKILL" });
  });

  test("the signal ends it", async () => {
    const controller = new AbortController();
    const program = await shell("sleep 60", { signal: controller.signal });
    controller.abort();
    expect((await program.exited).signal).toBe("SIGTERM");
  });

  test("leaves no listener behind", async () => {
    const before = process.listenerCount("exit");
    const programs = await Promise.all(Array.from({ length: 12 }, () => spawnProgram({ command: "true", stdio: "ignore" })));
    expect(process.listenerCount("exit")).toBe(before + 1);
    await Promise.all(programs.map((program) => program.exited));
    expect(process.listenerCount("exit")).toBe(before);
  });
});

test("signals map to the exit codes of shells", () => {
  expect([signalExitCode("SIGINT"), signalExitCode("SIGKILL"), signalExitCode("SIGTERM")]).toEqual([130, 137, 143]);
});
