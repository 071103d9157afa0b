import { spawnSync } from "node:child_process";

import { REPOSITORY } from "./workspace-packages.ts";

export interface RunOptions {
  /** Default: the repository. */
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and gives its standard output. Throws with all that it printed when it fails. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): string {
  const result = tryToRun(command, args, options);
  if (result.exitCode !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${result.exitCode}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** The same for a program whose failure is an answer. */
export function tryToRun(command: string, args: readonly string[], { cwd = REPOSITORY, env = process.env }: RunOptions = {}): RunResult {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (error !== undefined) throw error;
  return { exitCode: status ?? -1, stdout, stderr };
}
