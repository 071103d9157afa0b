import { execFileSync, spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { stopOutputProcessing } from "./stop-output-processing.ts";

const FIXTURE = fileURLToPath(new URL("stop-output-processing.fixture.ts", import.meta.url));

function hasUtilLinuxScript(): boolean {
  try {
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux");
  } catch {
    return false;
  }
}

test.skipIf(!hasUtilLinuxScript())(
  "a raw terminal shows line feeds as they are sent, and processes them again afterwards (needs script of util-linux)",
  async () => {
    const child = spawn("script", ["-qec", `'${process.execPath}' '${FIXTURE}'`, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
    expect(await text(child.stdout)).toContain("one\ntwo\nthree\r\n");
  },
);

test("an input that is not this process's own is left alone", async () => {
  await stopOutputProcessing({}, new AbortController().signal);
});
