import { buffer } from "node:stream/consumers";

import { RunnerError } from "@anyrunner/core";
import { describe, expect, test } from "vitest";

import { connectProgram, type ConnectProgramOptions } from "./connect-program.ts";

const sh = (script: string, options: Partial<ConnectProgramOptions> = {}): ConnectProgramOptions => ({
  driver: "toy",
  label: "the toy",
  command: "sh",
  args: ["-c", script],
  ...options,
});

describe("closed", () => {
  test.each([
    ["the program ends well", "echo done", { kind: "end" }],
    ["the program fails", "echo said; exit 3", { kind: "error", error: expect.objectContaining({ message: "the toy ended with exit code 3" }) }],
    ["the program is killed", "echo said; kill -9 $$", { kind: "error", error: expect.objectContaining({ message: "the toy ended with signal SIGKILL" }) }],
  ])("%s, and nobody reads", async (_, script, reason) => {
    expect(await (await connectProgram(sh(script))).closed).toEqual(reason);
  });

  test("what came before the end is still there for a reader that comes late", async () => {
    const { stream, closed } = await connectProgram(sh("echo done"));
    await closed;
    expect((await buffer(stream)).toString()).toBe("done\n");
  });

  test("we destroy it: local, whatever the program makes of its end", async () => {
    for (const script of ["sleep 60", "trap 'exit 5' TERM; echo ready >&2; while :; do sleep 0.01; done"]) {
      const { stream, closed } = await connectProgram(sh(script));
      stream.destroy();
      expect(await closed).toEqual({ kind: "local" });
    }
  });

  test("a program that ends its output and stays is ended: end", async () => {
    const { stream, closed } = await connectProgram(sh("echo x; exec >&-; sleep 60"));
    stream.resume();
    expect(await closed).toEqual({ kind: "end" });
  });

  test("the stream is broken with an error: that error", async () => {
    const { stream, closed } = await connectProgram(sh("sleep 60"));
    const error = new Error("broke");
    stream.destroy(error);
    expect(await closed).toEqual({ kind: "error", error });
  });
});

describe("connecting", () => {
  const isConnected = (text: string) => text.includes("connected");

  test("waits until the program says so", async () => {
    const { stream, kind, halfClose, diagnostics } = await connectProgram(sh("echo connected >&2; cat", { isConnected }));
    expect([kind, halfClose]).toEqual(["relay", true]);
    expect(await diagnostics()).toMatchObject({ summary: expect.stringMatching(/^the toy runs \(pid \d+\)$/), lastOutput: "connected\n" });
    stream.end("echoed");
    expect((await buffer(stream)).toString()).toBe("echoed");
  });

  test("a program that ends before is explained by the driver, else by exit code and last line", async () => {
    const script = "echo connecting >&2; echo refused >&2; exit 7";
    await expect(connectProgram(sh(script, { isConnected }))).rejects.toMatchObject({
      code: "COMMAND_FAILED",
      message: "the toy ended with exit code 7: refused",
      driver: "toy",
      details: { exitCode: 7 },
    });
    const explain = ({ stderr }: { readonly stderr: string }) =>
      stderr.includes("refused") ? new RunnerError("CONNECTION_REFUSED", "nothing listens") : undefined;
    await expect(connectProgram(sh(script, { isConnected, explain }))).rejects.toMatchObject({ code: "CONNECTION_REFUSED" });
  });

  test("a program that never says so: TIMEOUT after the budget", async () => {
    await expect(connectProgram(sh("sleep 60", { isConnected, connectBudgetMs: 50 }))).rejects.toMatchObject({ code: "TIMEOUT", retryable: true });
  });

  test("a missing program is NOT_AVAILABLE, since it is this machine that lacks it", async () => {
    await expect(connectProgram({ driver: "toy", command: "no-such-program-here" })).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
      message: 'program "no-such-program-here" was not found',
      hint: expect.stringContaining("install"),
    });
  });

  test("an abort before and during it is ABORTED", async () => {
    await expect(connectProgram(sh("sleep 60"), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    const controller = new AbortController();
    const connecting = connectProgram(sh("sleep 60", { isConnected }), { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(connecting).rejects.toMatchObject({ code: "ABORTED" });
  });
});

test("without a word the connection breaks with what the driver makes of it, and diagnostics tell the exit code", async () => {
  const { stream, closed, diagnostics } = await connectProgram(sh("echo no >&2; exit 4"));
  stream.resume();
  expect(await closed).toMatchObject({ kind: "error" });
  expect(await diagnostics()).toEqual({ summary: "the toy ended with exit code 4", exitCode: 4, lastOutput: "no\n" });
});
