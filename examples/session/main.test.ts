import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { createEngineDouble } from "@anyrunner/testkit";
import { expect, test } from "vitest";

test("a program of its own asks an engine through one driver", async () => {
  const engine = createEngineDouble();
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ["main.ts", await engine.listen()], { cwd: import.meta.dirname });
    expect(stdout).toContain("v0.21.8");
  } finally {
    await engine.kill();
  }
});
