import { runProgram, type ProgramResult } from "@anyrunner/exec";

import { destinationArguments, type SshHost } from "./ssh-host.ts";
import type { SshSettings } from "./ssh-settings.ts";

const BUDGET_MS = 10_000;

export interface HostSettings {
  /** By ssh's own names, lower case. */
  readonly values: ReadonlyMap<string, string>;
  /** Of OpenSSH: 902 for 9.2; 0 for what isn't OpenSSH. */
  readonly version: number;
  readonly result: Pick<ProgramResult, "exitCode" | "stderr">;
}

/** What `-v` adds to standard error. */
const DEBUGGING = /^(debug\d: .*|OpenSSH_.*)\r?\n/gm;

/** Asks ssh what it would do for a host, and its version, without connecting. Fails with NOT_FOUND (no ssh), TIMEOUT, ABORTED. */
export async function hostSettings(
  host: SshHost,
  { configFile, env }: SshSettings,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<HostSettings> {
  const result = await runProgram({
    command: "ssh",
    args: [...(configFile === undefined ? [] : ["-F", configFile]), "-v", "-G", ...destinationArguments(host)],
    env,
    timeoutMs: BUDGET_MS,
    signal,
  });
  const lines = result.stdout.toString("utf8").split("\n");
  const [, major, minor] = /OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)/.exec(result.stderr) ?? [];
  return {
    values: new Map(lines.map((line): [string, string] => [line.split(" ", 1)[0] ?? "", line.slice(line.indexOf(" ") + 1)])),
    version: Number(major ?? 0) * 100 + Number(minor ?? 0),
    result: { exitCode: result.exitCode, stderr: result.stderr.replace(DEBUGGING, "") },
  };
}
