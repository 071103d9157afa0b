import { existsSync } from "node:fs";

import { runProgram } from "@anyrunner/exec";
import { describe, expect, test } from "vitest";

import { chooseShell, formatComment, formatExport, type ShellName } from "./shell-exports.ts";

const NASTY = `a'b"c$HOME\`id\`\\d !e\u2019f%g`;

describe("formatExport", () => {
  test.each<[ShellName, string]>([
    ["bash", `export X='a'\\''b"c$HOME\`id\`\\d !e\u2019f%g'`],
    ["zsh", `export X='a'\\''b"c$HOME\`id\`\\d !e\u2019f%g'`],
    ["fish", `set -gx X 'a\\'b"c$HOME\`id\`\\\\d !e\u2019f%g'`],
    ["powershell", `$env:X = 'a''b"c$HOME\`id\`\\d !e\u2019\u2019f%g'`],
  ])("%s", (shell, line) => {
    expect(formatExport(shell, "X", NASTY)).toBe(line);
  });

  test.skipIf(!existsSync("/bin/bash"))("a real bash reads the value as it is (left out without /bin/bash)", async () => {
    const { stdout } = await runProgram({
      command: "/bin/bash",
      args: ["-c", `${formatComment("one\ntwo")}\n${formatExport("bash", "X", NASTY)}\nprintf %s "$X"`],
      env: {},
    });
    expect(stdout.toString()).toBe(NASTY);
  });
});

describe("chooseShell", () => {
  test.each<[string | undefined, string | undefined, NodeJS.Platform, string]>([
    ["fish", "/bin/bash", "linux", "fish"],
    ["pwsh", undefined, "linux", "powershell"],
    [undefined, "/usr/bin/zsh", "linux", "zsh"],
    [undefined, "/usr/bin/pwsh", "linux", "powershell"],
    [undefined, "/bin/dash", "linux", "bash"],
    [undefined, undefined, "linux", "bash"],
    [undefined, undefined, "win32", "powershell"],
    [undefined, "C:/Program Files/Git/usr/bin/bash.exe", "win32", "bash"],
  ])("--shell %s and SHELL=%s on %s: %s", (flag, SHELL, platform, shell) => {
    expect(chooseShell(flag, { SHELL }, platform)).toBe(shell);
  });

  test("another word is refused", () => {
    expect(() => chooseShell("tcsh", {})).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
