import { RunnerError, throwIfAborted } from "@anyrunner/core/driver";
import { openProgramStream, runProgram, spawnProgram } from "@anyrunner/exec";

import { commandFailure, runtimeMissing, wrongPlatform } from "./command-failure.ts";
import type { ContainerCli } from "./container-cli.ts";
import type { ContainerRuntime } from "./runtime.ts";

export interface CliSettings {
  /** The environment of the CLI. Default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Default: this machine's. */
  readonly platform?: NodeJS.Platform | undefined;
  /** Budget for a command that should take no time, in ms. Default 30,000. */
  readonly commandBudgetMs?: number | undefined;
}

const COMMAND_BUDGET_MS = 30_000;

export function createContainerCli(runtime: ContainerRuntime, place: string | undefined, settings: CliSettings): ContainerCli {
  const env = settings.env ?? process.env;
  const global = place === undefined || runtime.place === undefined ? [] : [runtime.place.flag, place];
  const { command } = runtime;
  const platform = settings.platform ?? process.platform;
  const found = async <T>(start: () => Promise<T>): Promise<T> => {
    // A program of that name is then another one.
    if (runtime.platform !== undefined && runtime.platform.name !== platform) throw wrongPlatform(runtime);
    try {
      return await start();
    } catch (error) {
      throw isMissing(error, command) ? runtimeMissing(runtime) : error;
    }
  };
  const cli: ContainerCli = {
    runtime,
    place,
    platform,
    env,
    shown: [command, ...global].join(" "),
    async run(args, options) {
      const result = await cli.attempt(args, options);
      if (result.exitCode !== 0) throw commandFailure(cli, result, options.doing);
      return result.stdout;
    },
    async attempt(args, options) {
      throwIfAborted(options.signal);
      const { exitCode, stdout, stderr } = await found(() =>
        runProgram({
          command,
          args: [...global, ...args],
          env: { ...env, ...options.env },
          signal: options.signal,
          timeoutMs: options.budgetMs ?? settings.commandBudgetMs ?? COMMAND_BUDGET_MS,
          secrets: options.hidden,
        }),
      );
      return { exitCode, stdout: stdout.toString("utf8"), stderr };
    },
    openStream: (args, options) => found(() => openProgramStream({ ...options, command, args: [...global, ...args], env })),
    spawn: (args, { signal }) => found(() => spawnProgram({ command, args: [...global, ...args], env, stdio: ["ignore", "pipe", "pipe"], signal })),
  };
  return cli;
}

function isMissing(error: unknown, command: string): boolean {
  return RunnerError.is(error) && error.code === "NOT_FOUND" && error.details?.["program"] === command;
}
