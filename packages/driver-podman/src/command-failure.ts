import { RunnerError, type JsonObject } from "@anyrunner/core/driver";

import type { CommandResult, ContainerCli } from "./container-cli.ts";
import type { KnownFailure } from "./known-failure.ts";
import type { ContainerRuntime } from "./runtime.ts";

const MESSAGE_LENGTH = 500;

/** The error for a command that failed: what the runtime's table knows, PERMISSION_DENIED, else COMMAND_FAILED with the CLI's own words. */
export function commandFailure(cli: ContainerCli, result: CommandResult, doing: string): RunnerError {
  const { runtime } = cli;
  const words = cliWords(result.stderr);
  const known = knownFailure(runtime, result);
  const details = { program: runtime.command, exitCode: result.exitCode, ...(words !== "" && { output: words }) };
  if (known?.code === "CONNECTION_REFUSED" && cli.place !== undefined && runtime.name === "podman") return noService(cli, cli.place, details);
  if (known !== undefined) return new RunnerError(known.code, known.message, { hint: known.hint, driver: runtime.name, details });
  const message = `${runtime.command} could not ${doing} (exit code ${result.exitCode})${words === "" ? "" : `: ${words}`}`;
  if (/permission denied|operation not permitted/i.test(words)) {
    return new RunnerError("PERMISSION_DENIED", message, { hint: `use ${runtime.command} as a user who may do that`, driver: runtime.name, details });
  }
  return new RunnerError("COMMAND_FAILED", message, { hint: `run the ${runtime.command} command by hand to see more`, driver: runtime.name, details });
}

/** What Podman says of its machine is of no use where another place was named. */
function noService({ runtime }: ContainerCli, place: string, details: JsonObject): RunnerError {
  return new RunnerError("CONNECTION_REFUSED", `no Podman answers at the connection "${place}"`, {
    hint: "start its service there (podman system service, or the socket unit podman.socket), or correct it: `podman system connection list`",
    driver: runtime.name,
    details,
  });
}

/** The entry of the runtime's table that its output fits. */
export function knownFailure(runtime: ContainerRuntime, { stdout, stderr }: CommandResult): KnownFailure | undefined {
  return runtime.failures.find(({ pattern }) => pattern.test(stderr) || pattern.test(stdout.slice(0, MESSAGE_LENGTH)));
}

export function runtimeMissing(runtime: ContainerRuntime): RunnerError {
  return new RunnerError("NOT_AVAILABLE", `${runtime.title} is not installed: there is no program "${runtime.command}" on PATH`, {
    hint: runtime.install,
    driver: runtime.name,
    details: { program: runtime.command },
  });
}

export function wrongPlatform(runtime: ContainerRuntime): RunnerError {
  return new RunnerError("NOT_AVAILABLE", `${runtime.title} exists on ${runtime.platform?.title} only`, {
    hint: "use another runtime",
    driver: runtime.name,
  });
}

/** The last line that says something, without the decoration of the CLI's logger. */
export function cliWords(stderr: string): string {
  const lines = stderr.split("\n").map(undecorated);
  const line = lines.findLast((text) => text !== "" && !/^(exit status \d+|see '.* --help')$/i.test(text)) ?? "";
  return line.slice(0, MESSAGE_LENGTH);
}

function undecorated(line: string): string {
  const logged = /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replaceAll(/\\(.)/g, "$1");
  return (logged ?? line).trim().replace(/^(Error:|FATA\[\d+\]|error:)\s*/i, "");
}
