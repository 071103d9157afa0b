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
