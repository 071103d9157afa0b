import { basename } from "node:path";

import { RunnerError } from "@anyrunner/core";

/** The shells whose syntax is known. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
export type ShellName = (typeof SHELLS)[number];

/** `--shell`, else the shell that `SHELL` names, else bash, whose syntax every POSIX shell reads; on Windows PowerShell. Fails with USAGE. */
export function chooseShell(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): ShellName {
  if (flag !== undefined) {
    const shell = known(flag);
    if (shell === undefined) throw new RunnerError("USAGE", `--shell doesn't know "${flag}"`, { hint: `use ${SHELLS.join(", ")}` });
    return shell;
  }
  return known(basename(env["SHELL"] ?? "").replace(/\.exe$/, "")) ?? (platform === "win32" ? "powershell" : "bash");
}

/** The line that sets a variable and hands it to children, whatever stands in the value. */
export function formatExport(shell: ShellName, name: string, value: string): string {
  switch (shell) {
    case "bash":
    case "zsh":
      return `export ${name}='${value.replaceAll("'", `'\\''`)}'`;
    case "fish":
      return `set -gx ${name} '${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
    case "powershell":
      // PowerShell takes typographic quotes for quotes, too.
      return `$env:${name} = '${value.replaceAll(/['\u2018\u2019\u201a\u201b]/g, "$&$&")}'`;
  }
}

/** A line that every one of these shells skips. */
export function formatComment(text: string): string {
  return `# ${text.replaceAll(/\s+/g, " ")}`;
}

function known(name: string): ShellName | undefined {
  return SHELLS.find((shell) => shell === (name === "pwsh" ? "powershell" : name));
}
