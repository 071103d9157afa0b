import type { OptionSpec } from "@anyrunner/core/driver";
import type { DaemonInfo, EngineContainerPlan } from "@anyrunner/engine-container";

import type { ContainerDetails } from "./container-details.ts";
import type { KnownFailure } from "./known-failure.ts";

/** A container runtime that is spoken to by its command-line program; also the name of its driver. */
export type RuntimeName = "podman" | "nerdctl" | "finch" | "apple";

/** All that sets one container CLI apart from another. */
export interface ContainerRuntime {
  /** Also the driver's name. */
  readonly name: RuntimeName;
  /** For messages. */
  readonly title: string;
  /** The program. */
  readonly command: string;
  /** Schemes of existing containers, and of engines that are made. */
  readonly schemes: { readonly container: readonly string[]; readonly image: readonly string[] };
  /** The oldest version whose CLI has every argument that is used. */
  readonly minimumVersion: string;
  /** Where it runs at all. Default: everywhere. */
  readonly platform?: { readonly name: NodeJS.Platform; readonly title: string } | undefined;
  /** How to get it: the rest of a hint. */
  readonly install: string;
  /** A parameter of the URL that says where the runtime's containers are, and the CLI's global flag for it. */
  readonly place?: { readonly option: OptionSpec & { readonly type: "string" }; readonly flag: string } | undefined;
  readonly status: (platform: NodeJS.Platform) => StatusCheck;
  /** How it describes itself; absent where a container has a machine of its own. */
  readonly description?: RuntimeDescription | undefined;
  readonly grammar: RuntimeGrammar;
  readonly failures: readonly KnownFailure[];
}

export interface RuntimeDescription {
  readonly args: readonly string[];
  readonly parse: (stdout: string) => DaemonInfo;
  /** The names of the bridges of its networks. */
  readonly bridges: RegExp;
}

/** A command that fails, or says something else, when what the CLI talks to is not running. It starts nothing. */
export interface StatusCheck {
  readonly args: readonly string[];
  /** What standard output holds when all is well. Default: an exit code of 0 is enough. */
  readonly expected?: RegExp | undefined;
  /** Whether this comes before every first command, because others would start what isn't running. Default: only to explain a failure. */
  readonly first?: boolean | undefined;
}

/** The arguments of each command, and how its output is read. */
export interface RuntimeGrammar {
  exec(container: string, command: readonly string[]): readonly string[];
  /** Names of all containers; with `label` only of those that have it. */
  list(label?: { readonly name: string; readonly value: string }): readonly string[];
  parseList(stdout: string, label?: { readonly name: string; readonly value: string }): readonly string[];
  /** Names of running containers that have the volume; absent where the runtime itself gives a volume to one container only. */
  listVolumeUsers?(volume: string): readonly string[];
  inspect(containers: readonly string[]): readonly string[];
  parseInspect(stdout: string): readonly ContainerDetails[];
  logs(container: string, options: { readonly tail: number; readonly follow: boolean }): readonly string[];
  /** What it has logged since that moment (ISO 8601); absent where the runtime can't say. */
  logsSince?(container: string, since: string, options: { readonly tail?: number | undefined }): readonly string[];
  start(container: string): readonly string[];
  stop(container: string, options: { readonly seconds: number }): readonly string[];
  /** Ends it first if it runs. */
  remove(container: string): readonly string[];
  inspectImage(image: string): readonly string[];
  pull(image: string, options: { readonly platform?: string | undefined }): readonly string[];
  createVolume(name: string, labels: Readonly<Record<string, string>>): readonly string[];
  inspectVolume(name: string): readonly string[];
  /** The labels of the one volume that inspect shows. */
  parseVolumeLabels(stdout: string): Readonly<Record<string, string>>;
  removeVolume(name: string): readonly string[];
  /** What is needed to write a file into an engine that doesn't run yet; absent where a runtime can't. */
  readonly files?: FileGrammar | undefined;
  /** Fails with UNSUPPORTED when the plan asks for what the runtime can't do. Values of variables are not in it. */
  run(plan: EngineContainerPlan): RunCommand;
}

export interface FileGrammar {
  /** As `run`, but without a start. */
  create(plan: EngineContainerPlan): RunCommand;
  /** Copies a file; a side in a container is `CONTAINER:PATH`. */
  copy(from: string, to: string): readonly string[];
  /** Names of the volumes that have the label. */
  listVolumes(label: { readonly name: string; readonly value: string }): readonly string[];
}

export interface RunCommand {
  readonly args: readonly string[];
  /** Variables that the CLI hands on from its own environment. */
  readonly env: Readonly<Record<string, string>>;
}
