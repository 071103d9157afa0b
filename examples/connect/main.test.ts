import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

const run = promisify(execFile);
const here = import.meta.dirname;

test.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")(
  "a program opens its own session and uses the official SDK in it (left out by ANYRUNNER_TEST_DOCKER=skip)",
  async () => {
    await run(join(here, "../../scripts/busybox-root"), [join(here, "../hello/rootfs")]);
    const { stdout } = await run(process.execPath, ["main.ts", "embedded://"], { cwd: here });
    expect(stdout.trim()).toBe("Linux");
  },
);

test.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")(
  "a program is told what happens, and takes an exit code as an answer (left out by ANYRUNNER_TEST_DOCKER=skip)",
  async () => {
    await run(join(here, "../../scripts/busybox-root"), [join(here, "../hello/rootfs")]);
    const { stdout } = await run(process.execPath, ["watch.ts", "embedded://"], { cwd: here });
    expect(stdout.trim()).toBe("3");
  },
);

test("a program is told why there is no runner", async () => {
  const failed = run(process.execPath, ["watch.ts", "unix:///nowhere/engine.sock"], { cwd: here });
  await expect(failed).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/^NOT_FOUND: /m) as unknown });
});
