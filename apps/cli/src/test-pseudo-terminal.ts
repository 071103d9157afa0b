import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { spawnProgram } from "@anyrunner/exec";

import { createTestTerminal, type TestTerminal } from "./progress/test-terminal.ts";

/** `anyrunner` on a pseudo-terminal, and what a person sees of it. */
export interface CliOnTerminal {
  readonly terminal: TestTerminal;
  /** Everything that was written, as it came. */
  output(): string;
  /** Types on the keyboard. */
  type(text: string): void;
  /** The exit code of `anyrunner`; all output has come then. */
  readonly ended: Promise<number>;
}

export interface CliOnTerminalOptions {
  readonly args: readonly string[];
  readonly home: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export const TERMINAL_SIZE = { columns: 80, rows: 24 };

/** Why this machine has no pseudo-terminal for tests; undefined when it has. */
export function noPseudoTerminal(): string | undefined {
  if (process.platform !== "linux") return "script has other options on this system";
  try {
    execFileSync("script", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "script of util-linux isn't installed";
  }
}

/** Starts the command line from source. `script` ends with the exit code of what it runs, and passes on what is typed. */
export async function startOnTerminal({ args, home, env = {} }: CliOnTerminalOptions): Promise<CliOnTerminal> {
  const words = [process.execPath, join(import.meta.dirname, "bin.ts"), ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const command = `stty cols ${TERMINAL_SIZE.columns} rows ${TERMINAL_SIZE.rows}; exec ${words}`;
  const child = await spawnProgram({
    command: "script",
    args: ["-qec", command, "/dev/null"],
    stdio: ["pipe", "pipe", "inherit"],
    cwd: home,
    env: { PATH: process.env["PATH"], HOME: home, SHELL: "/bin/sh", LANG: "C.UTF-8", TERM: "xterm-256color", NODE_DISABLE_COMPILE_CACHE: "1", ...env },
  });
  const { stdin, stdout } = child;
  if (stdin === undefined || stdout === undefined) throw new Error("no pipes");
  stdin.on("error", () => {});
  const terminal = createTestTerminal(TERMINAL_SIZE.columns, TERMINAL_SIZE.rows);
  let seen = "";
  let written = Promise.resolve();
  stdout.setEncoding("utf8").on("data", (chunk: string) => {
    seen += chunk;
    written = written.then(() => terminal.write(chunk));
  });
  const closed = new Promise((resolve) => stdout.once("close", resolve));
  return {
    terminal,
    output: () => seen,
    type: (text) => void stdin.write(text),
    ended: Promise.all([child.exited, closed]).then(async ([{ exitCode }]) => {
      await written;
      return exitCode ?? -1;
    }),
  };
}
