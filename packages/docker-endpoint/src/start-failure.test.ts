import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createStartFailureGuard, execStartError } from "./start-failure.ts";

const TEXT = 'OCI runtime exec failed: exec failed: unable to start container process: exec: "buildctl": executable file not found in $PATH: unknown\r\n';

describe("guard", () => {
  test("holds the daemon's error text back, wherever it is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 200 }), (cuts) => {
        const guard = createStartFailureGuard();
        expect(feed(guard, Buffer.from(TEXT), cuts)).toEqual(Buffer.alloc(0));
        expect(guard.suspicious).toBe(true);
        expect(guard.held.toString()).toBe(TEXT);
      }),
    );
  });

  test("passes everything else on unchanged, but for what may still become the text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.string().map((text) => Buffer.from(`OCI runtime ${text}`)),
        ),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (bytes, cuts) => {
          const guard = createStartFailureGuard();
          const passed = feed(guard, Buffer.from(bytes), cuts);
          expect(Buffer.concat([passed, guard.held])).toEqual(Buffer.from(bytes));
        },
      ),
    );
  });

  test("lets go of what is longer than an error text", () => {
    const guard = createStartFailureGuard();
    const long = Buffer.from(TEXT + "x".repeat(5000));
    expect(guard.accept(long)).toEqual(long);
    expect(guard.held.length).toBe(0);
  });
});

describe("error", () => {
  test.each([
    [TEXT, "NOT_FOUND"],
    [
      'OCI runtime exec failed: exec failed: container_linux.go:370: starting container process caused: exec: "/x": stat /x: no such file or directory: unknown',
      "NOT_FOUND",
    ],
    ['OCI runtime exec failed: exec failed: unable to start container process: exec: "/etc/passwd": permission denied: unknown', "PERMISSION_DENIED"],
    ["OCI runtime exec failed: exec failed: cannot exec in a stopped state: container has stopped: unknown", "NOT_RUNNING"],
    ["OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown", "NOT_RUNNING"],
    ["OCI runtime exec failed: exec failed: unable to start container process: error adding pid 7 to cgroups: unknown", "COMMAND_FAILED"],
  ])("%s", (text, code) => {
    const error = execStartError(text, { container: "engine", program: "buildctl", exitCode: 126 });
    expect(error).toMatchObject({ code, hint: expect.stringMatching(/./), details: { container: "engine", program: "buildctl", exitCode: 126 } });
    expect(error.message).toContain("engine");
  });
});

function feed(guard: ReturnType<typeof createStartFailureGuard>, bytes: Buffer, cuts: readonly number[]): Buffer {
  const passed: Buffer[] = [];
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const end = start + (cuts[turn % cuts.length] ?? 1);
    const released = guard.accept(bytes.subarray(start, end));
    if (released !== undefined) passed.push(released);
    start = end;
  }
  return Buffer.concat(passed);
}
