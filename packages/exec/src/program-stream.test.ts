import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";

import { describe, expect, onTestFinished, test, vi } from "vitest";

import { openProgramStream } from "./program-stream.ts";

describe("openProgramStream", () => {
  test("carries bytes both ways and half-closes", async () => {
    const { stream, exited } = await openProgramStream({ command: "cat" });
    const sent = randomBytes(3_000_000);
    stream.end(sent);
    const received = await buffer(stream);
    expect(createHash("sha256").update(received).digest("hex")).toBe(createHash("sha256").update(sent).digest("hex"));
    expect(await exited).toEqual({ exitCode: 0, signal: undefined });
  });

  test("a program that closed its output is given a moment to end by itself", async () => {
    // The moment is as long as this machine needs.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { stream, exited } = await openProgramStream({ command: "sh", args: ["-c", "exec >&-; sleep 0.01; exit 3"] });
    stream.end();
    await buffer(stream);
    expect(await exited).toEqual({ exitCode: 3, signal: undefined });
  });

  test("acknowledges writes at once although the program doesn't read", async () => {
    const { stream } = await openProgramStream({ command: "sleep", args: ["60"] });
    await new Promise<void>((resolve) => stream.write(randomBytes(1_000_000), () => resolve()));
    stream.destroy();
    await once(stream, "close");
  });

  test("holds writes back when the queue is full", async () => {
    const { stream } = await openProgramStream({ command: "sleep", args: ["60"], queueBytes: 1000 });
    let acknowledged = false;
    stream.write(randomBytes(1_000_000), () => (acknowledged = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(acknowledged).toBe(false);
    stream.destroy();
    await once(stream, "close");
  });

  test("destroy ends the program and what it started", async () => {
    const { stream, exited } = await openProgramStream({ command: "sh", args: ["-c", "sleep 61 & echo $!; wait"] });
    const [line] = (await once(stream, "data")) as [Buffer];
    stream.destroy();
    await once(stream, "close");
    await exited;
    await vi.waitFor(async () => expect(await isAlive(Number(line.toString()))).toBe(false), { timeout: 60_000 });
  });

  test("keeps the end of standard error and the exit code", async () => {
    const { stream, exited, stderrTail } = await openProgramStream({ command: "sh", args: ["-c", "echo refused >&2; exit 3"] });
    stream.resume();
    await once(stream, "close");
    expect(await exited).toEqual({ exitCode: 3, signal: undefined });
    expect(stderrTail()).toBe("refused\n");
  });

  test("a missing program is NOT_FOUND and named", async () => {
    await expect(openProgramStream({ command: "no-such-program-here" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("no-such-program-here"),
    });
  });
});

/** A zombie that nobody has reaped yet counts as gone. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return /^State:\s+[^ZX]/m.test(status);
}
