import type { CallOptions } from "@anyrunner/core/driver";
import type { ProgramStream, ProgramStreamOptions, SpawnedProgram } from "@anyrunner/exec";

import type { ContainerRuntime } from "./runtime.ts";

export interface CommandOptions extends CallOptions {
  /** For the message when it fails: `start the container "x"`. */
  readonly doing: string;
  /** More variables for this command. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly budgetMs?: number | undefined;
  /** Values that must not show in a message. */
  readonly hidden?: Iterable<string> | undefined;
}

/** The CLI of a runtime, told where its containers are. */
export interface ContainerCli {
  readonly runtime: ContainerRuntime;
  /** The value of the runtime's parameter for it, if any. */
  readonly place: string | undefined;
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For hints: `podman --connection build`. */
  readonly shown: string;
  /** Runs a command to its end and gives what it wrote. Fails as `commandFailure` says, with NOT_AVAILABLE, TIMEOUT, ABORTED. */
  run(args: readonly string[], options: CommandOptions): Promise<string>;
  /** The same; one that failed is a result. */
  attempt(args: readonly string[], options: CommandOptions): Promise<CommandResult>;
  openStream(args: readonly string[], options: Omit<ProgramStreamOptions, "command" | "args" | "env">): Promise<ProgramStream>;
  spawn(args: readonly string[], options: { readonly signal?: AbortSignal | undefined }): Promise<SpawnedProgram>;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}
