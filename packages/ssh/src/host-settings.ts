import { runProgram, type ProgramResult } from "@anyrunner/exec";

import { destinationArguments, type SshHost } from "./ssh-host.ts";
import type { SshSettings } from "./ssh-settings.ts";

const BUDGET_MS = 10_000;

export interface HostSettings {
  /** By ssh's own names, lower case. */
  readonly values: ReadonlyMap<string, string>;
  readonly result: ProgramResult;
}

/** Asks ssh what it would do for a host, without connecting. Fails with NOT_FOUND (no ssh), TIMEOUT, ABORTED. */
export async function hostSettings(
  host: SshHost,
  { configFile, env }: SshSettings,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<HostSettings> {
  const result = await runProgram({
    command: "ssh",
    args: [...(configFile === undefined ? [] : ["-F", configFile]), "-G", ...destinationArguments(host)],
    env,
    timeoutMs: BUDGET_MS,
    signal,
  });
  const lines = result.stdout.toString("utf8").split("\n");
  return { values: new Map(lines.map((line): [string, string] => [line.split(" ", 1)[0] ?? "", line.slice(line.indexOf(" ") + 1)])), result };
}
