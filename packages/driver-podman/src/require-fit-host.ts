import { throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import { daemonChecks, hostChecks, requireChecks, thisHost, type Check, type DaemonInfo, type EnginePort, type HostView } from "@anyrunner/engine-container";

import type { ContainerCli } from "./container-cli.ts";
import { createContainerCli } from "./create-container-cli.ts";
import { isElsewhere } from "./is-elsewhere.ts";
import type { RuntimeName } from "./runtime.ts";
import { RUNTIMES } from "./runtimes.ts";

export interface HostQuestion extends CallOptions {
  /** The port that the engine is to publish. */
  readonly port?: EnginePort | undefined;
  /** An engine answers already, so that its port is rightly taken. Default false. */
  readonly engineRuns?: boolean | undefined;
  /** Default: this machine. */
  readonly host?: HostView | undefined;
}

/** How long a runtime may take to describe itself, in ms: it is only asked along the way. */
const BUDGET_MS = 10_000;

/**
 * Looks, before an engine is started, at what it needs of the runtime and, where that shares this machine, of the machine. What would
 * keep it from working is an error, with reason and remedy; what may is a warning.
 * Fails with UNSUPPORTED, ALREADY_EXISTS, NOT_AVAILABLE; `details.requirement` has the check.
 */
export async function requireFitHost(cli: ContainerCli, options: HostQuestion): Promise<void> {
  const checks = await runtimeChecks(cli, options);
  requireChecks(checks, { driver: cli.runtime.name, report: options.report });
}

/** Which runtime is asked. */
export interface RuntimeChecksOptions extends HostQuestion {
  readonly runtime: RuntimeName;
  /** The value of the runtime's parameter for where its containers are, if the URL has one. */
  readonly place?: string | undefined;
  /** The environment of its CLI. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The same as checks, without an opinion: for people. Empty for a runtime that isn't there, or doesn't describe itself. */
export async function readRuntimeChecks({ runtime, place, env, ...question }: RuntimeChecksOptions): Promise<readonly Check[]> {
  return runtimeChecks(createContainerCli(RUNTIMES[runtime], place, { env }), question);
}

/** What an engine needs of a runtime and its machine; nothing for a runtime that doesn't describe itself. Fails with ABORTED only. */
async function runtimeChecks(cli: ContainerCli, { port, engineRuns = false, host = thisHost, signal }: HostQuestion): Promise<readonly Check[]> {
  const { runtime } = cli;
  const info = await describe(cli, signal);
  if (info === undefined) return [];
  const facts = { rootFolder: info.DockerRootDir, port, engineRuns, command: runtime.command, bridges: runtime.description?.bridges };
  const onHost = isElsewhere(cli) ? [] : await hostChecks(host, facts);
  return [...daemonChecks(info, { name: runtime.name, title: runtime.title, subject: runtime.title }), ...onHost];
}

async function describe(cli: ContainerCli, signal: AbortSignal | undefined): Promise<DaemonInfo | undefined> {
  const { description } = cli.runtime;
  if (description === undefined) return undefined;
  try {
    const { exitCode, stdout } = await cli.attempt(description.args, { signal, doing: "describe itself", budgetMs: BUDGET_MS });
    return exitCode === 0 ? description.parse(stdout) : undefined;
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}
