import { RunnerError, type CallOptions } from "@anyrunner/core/driver";

import { commandFailure } from "./command-failure.ts";
import type { ContainerCli } from "./container-cli.ts";

/**
 * Asks whether what the CLI talks to is running, without starting it. Fails with NOT_AVAILABLE when there is no such CLI, else with
 * the reason that the runtime's table knows (CONNECTION_REFUSED, PERMISSION_DENIED, INVALID_CONFIG), or COMMAND_FAILED.
 */
export async function checkRuntime(cli: ContainerCli, options: CallOptions): Promise<void> {
  const { args, expected } = cli.runtime.status(cli.platform);
  const doing = "say whether it is running";
  const result = await cli.attempt(args, { ...options, doing });
  if (result.exitCode === 0 && (expected === undefined || expected.test(result.stdout))) return;
  throw commandFailure(cli, result, doing);
}

/** Does the same before a first command that would start what isn't running. */
export async function checkRuntimeFirst(cli: ContainerCli, options: CallOptions): Promise<void> {
  if (cli.runtime.status(cli.platform).first) await checkRuntime(cli, options);
}

/** Fails with UNSUPPORTED for a CLI that is too old; gives the version, `undefined` for one that says none. */
export async function checkVersion(cli: ContainerCli, options: CallOptions): Promise<string | undefined> {
  const { runtime } = cli;
  const text = await cli.run(["--version"], { ...options, doing: "say its version" });
  const version = /\d+\.\d+(\.\d+)?/.exec(text)?.[0];
  if (version === undefined || compare(version, runtime.minimumVersion) >= 0) return version;
  throw new RunnerError("UNSUPPORTED", `${runtime.title} ${version} is too old: engines need ${runtime.minimumVersion} or newer`, {
    hint: runtime.install,
    driver: runtime.name,
    details: { version, minimum: runtime.minimumVersion },
  });
}

function compare(left: string, right: string): number {
  const [a, b] = [left, right].map((text) => text.split(".").map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
