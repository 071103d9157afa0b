import { orAborted, RunnerError, throwIfAborted, type CallOptions, type Reporter } from "@anyrunner/core/driver";
import { CACHE_ROLE, ENGINE_LABELS, type EngineContainerPlan } from "@anyrunner/engine-container";

import { commandFailure } from "./command-failure.ts";
import { findContainer } from "./container.ts";
import type { ContainerCli } from "./container-cli.ts";
import { wasNeverStarted } from "./container-details.ts";
import { NAME_TAKEN } from "./known-failure.ts";
import { pullImage, requireImage, type PullOptions } from "./pull-image.ts";
import type { RunCommand } from "./runtime.ts";
import { countEngines, hasOwnConfig, shareDiskAmong } from "./share-disk.ts";

export interface RunEngineOptions extends PullOptions {
  /** Settles when it is known whether the machine suits an engine; looked at before anything is made, which takes as long. */
  readonly fit?: Promise<void> | undefined;
}

const RUN_BUDGET_MS = 120_000;

/**
 * Makes and starts the container, pulling its image when it has to; `false` when the name is taken meanwhile.
 * Fails with IMAGE_PULL_FAILED, NOT_FOUND for an image that must not be pulled, UNSUPPORTED, ALREADY_EXISTS
 * for a volume in use, COMMAND_FAILED.
 */
export async function runEngine(cli: ContainerCli, plan: EngineContainerPlan, options: RunEngineOptions): Promise<boolean> {
  const { grammar } = cli.runtime;
  // What the runtime can't do is refused before anything is pulled.
  const command = grammar.run(plan);
  if (options.pull === "always") await pullImage(cli, plan, options);
  else await requireImage(cli, plan, options);
  await refuseSharedVolume(cli, plan, options);
  if (!(await suits(cli, plan, options))) return false;
  const engines = hasOwnConfig(plan) ? 1 : await countEngines(cli, plan.volume, options);
  throwIfAborted(options.signal);
  const isShared = engines > 1 && grammar.files !== undefined;
  const making = isShared ? { command: grammar.files.create(plan), engines } : { command };
  return orAborted(make(cli, plan, making, options), options.signal);
}

/** `false`: somebody else has made the engine meanwhile, whose port is rightly taken. */
async function suits(cli: ContainerCli, { name }: EngineContainerPlan, options: RunEngineOptions): Promise<boolean> {
  try {
    await options.fit;
    return true;
  } catch (error) {
    if ((await findContainer(cli, name, options)) === undefined) throw error;
    return false;
  }
}

interface Making {
  readonly command: RunCommand;
  /** Among how many the disk is shared; the container is then made, given its limits and started, one after the other. */
  readonly engines?: number;
}

/** What it begins it ends, or removes, whoever has given up meanwhile: half an engine would be in the way of the next call. */
async function make(cli: ContainerCli, plan: EngineContainerPlan, making: Making, { signal, report }: CallOptions): Promise<boolean> {
  const isNewVolume = await createVolume(cli, plan);
  try {
    throwIfAborted(signal);
    return await run(cli, plan, making, report);
  } catch (error) {
    // One that another container uses meanwhile stays.
    if (isNewVolume) await cli.attempt(cli.runtime.grammar.removeVolume(plan.volume), { doing: "remove a volume" }).catch(() => undefined);
    throw error;
  }
}

async function run(cli: ContainerCli, plan: EngineContainerPlan, { command, engines }: Making, report: Reporter | undefined): Promise<boolean> {
  const doing = `start the engine's container "${plan.name}"`;
  const { args, env } = command;
  let result = await cli.attempt(args, { doing, env, budgetMs: RUN_BUDGET_MS, hidden: Object.values(env) });
  if (result.exitCode === 0 && engines !== undefined) {
    await shareDiskAmong(cli, plan.name, engines, { report });
    result = await cli.attempt(cli.runtime.grammar.start(plan.name), { doing, budgetMs: RUN_BUDGET_MS });
  }
  if (result.exitCode === 0) return true;
  if (NAME_TAKEN.test(result.stderr)) return false;
  const found = await findContainer(cli, plan.name, {});
  // What runs, or ran, is somebody's engine, whatever this command thinks of it.
  if (found !== undefined && !wasNeverStarted(found)) return false;
  // It was made but can't be started: without force, what another caller has started stays.
  if (found !== undefined) await cli.attempt(["rm", plan.name], { doing: "remove it" });
  throw startFailure(commandFailure(cli, result, doing));
}

function startFailure(error: RunnerError): RunnerError {
  if (error.code !== "COMMAND_FAILED" && error.code !== "PERMISSION_DENIED") return error;
  return new RunnerError(error.code, error.message, { hint: startHint(error.message) ?? error.hint, driver: error.driver, details: error.details });
}

function startHint(words: string): string | undefined {
  if (/port is already allocated|address already in use/i.test(words)) return "choose another port=, or stop the program that has it";
  if (/nvidia|cdi device|unresolvable/i.test(words))
    return "install the NVIDIA driver and container toolkit, or leave gpus= and _EXPERIMENTAL_DAGGER_GPU_SUPPORT away";
  if (/privileged|operation not permitted|permission denied|rlimit|cap_/i.test(words)) {
    return "an engine needs privileged containers, as root's or with the user's cgroups; use a runner elsewhere, or embedded://";
  }
  if (/network/i.test(words)) return "check network=";
  return undefined;
}

/** Two engines on one state folder: the second would wait for the first one's lock, or worse. */
async function refuseSharedVolume(cli: ContainerCli, { name, volume }: EngineContainerPlan, options: CallOptions): Promise<void> {
  const { grammar, name: driver } = cli.runtime;
  // The volume that is named like the engine is nobody else's.
  if (volume === name || grammar.listVolumeUsers === undefined) return;
  const listed = await cli.run(grammar.listVolumeUsers(volume), { ...options, doing: `see who uses the volume "${volume}"` });
  const user = grammar.parseList(listed).find((each) => each !== name);
  if (user === undefined) return;
  throw new RunnerError("ALREADY_EXISTS", `the volume "${volume}" is in use by the container "${user}": two engines can't share one`, {
    hint: "choose another one with volume=, or stop that container",
    driver,
    details: { volume, container: user },
  });
}

/** With labels, so that it is known as ours. `false`: one is there, and is used as it is. */
async function createVolume(cli: ContainerCli, { volume }: EngineContainerPlan): Promise<boolean> {
  const doing = `make the volume "${volume}"`;
  const result = await cli.attempt(cli.runtime.grammar.createVolume(volume, { [ENGINE_LABELS.role]: CACHE_ROLE }), { doing });
  if (result.exitCode === 0) return true;
  if (NAME_TAKEN.test(result.stderr)) return false;
  throw commandFailure(cli, result, doing);
}
