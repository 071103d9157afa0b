import { runProgram } from "@anyrunner/exec";

import { requireControlSockets } from "./ssh-connections.ts";
import { sshError } from "./ssh-error.ts";
import { destinationArguments, type SshHost } from "./ssh-host.ts";
import type { SshSettings } from "./ssh-settings.ts";

const BUDGET_MS = 10_000;

/** Asks ssh what it would do, without connecting: fails with NOT_FOUND (no ssh), UNSUPPORTED, INVALID_CONFIG, TIMEOUT, ABORTED. Gives `host:port`. */
export async function checkSsh(host: SshHost, { configFile, env }: SshSettings, options: { readonly signal?: AbortSignal | undefined }): Promise<string> {
  requireControlSockets();
  const { exitCode, stdout, stderr } = await runProgram({
    command: "ssh",
    args: [...(configFile === undefined ? [] : ["-F", configFile]), "-G", ...destinationArguments(host)],
    env,
    timeoutMs: BUDGET_MS,
    signal: options.signal,
  });
  if (exitCode !== 0) throw sshError({ host, exitCode, stderr });
  const settings = new Map(
    stdout
      .toString("utf8")
      .split("\n")
      .map((line): [string, string] => [line.split(" ", 1)[0] ?? "", line.slice(line.indexOf(" ") + 1)]),
  );
  return `${settings.get("hostname") ?? host.host}:${settings.get("port") ?? host.port ?? 22}`;
}
