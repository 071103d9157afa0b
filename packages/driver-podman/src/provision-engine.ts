import { pause, RunnerError, type ProvisionOptions, type RunnerEvent } from "@anyrunner/core/driver";
import {
  adoptableName,
  driftWarning,
  matchesPlan,
  mayAdopt,
  planEngineContainer,
  readEngineFiles,
  readRemoteEngineFiles,
  type EngineContainerPlan,
  type EngineImage,
} from "@anyrunner/engine-container";

import { awaitEngine } from "./await-engine.ts";
import { tellUnseenStart } from "./cache-fate.ts";
import { checkRuntimeFirst, checkVersion } from "./check-runtime.ts";
import { containerNotRunning, findContainer } from "./container.ts";
import type { ContainerCli } from "./container-cli.ts";
import { refuseDraining } from "./drain-mark.ts";
import { isElsewhere } from "./is-elsewhere.ts";
import { isAlive, wasNeverStarted, type ContainerDetails } from "./container-details.ts";
import { startContainer } from "./lifecycle.ts";
import { requireFitHost } from "./require-fit-host.ts";
import { runEngine } from "./run-engine.ts";
import { shareDiskOfExisting } from "./share-disk.ts";

export interface ProvisionEngineOptions extends ProvisionOptions {
  readonly engineVersion?: string | undefined;
  readonly pullBudgetMs?: number | undefined;
}

const ATTEMPTS = 20;
const PAUSE_MS = 250;
/** How long a container that another caller makes may be there without running, before it is started from here. */
const OTHERS_PAUSES = 8;
/** An engine that was started by another caller so recently may not answer yet. */
const FRESH_MS = 60_000;

export interface ProvisionedEngine {
  readonly container: ContainerDetails;
  readonly plan: EngineContainerPlan;
  /** Whether this call has started it. */
  readonly isStarted: boolean;
}

interface StartOptions extends ProvisionEngineOptions {
  readonly onStarted: () => void;
}

/**
 * Finds the engine of an image or makes one; callers at once, in other processes too, get the same container. Order: the container
 * of the planned name, a running one of the official client for the same image, a new one. What this call or another has just
 * started is waited for by `ready`.
 */
export async function provisionEngine(cli: ContainerCli, image: EngineImage, options: ProvisionEngineOptions): Promise<ProvisionedEngine> {
  const { name: driver } = cli.runtime;
  await checkRuntimeFirst(cli, options);
  const { env, platform } = cli;
  const files = isElsewhere(cli)
    ? await readRemoteEngineFiles(image, { env, platform, report: options.report, where: `what ${cli.shown} speaks to` })
    : await readEngineFiles(image, { env, platform });
  const plan = planEngineContainer(image, { env, engineVersion: options.engineVersion, ...files });
  let isStarted = false;
  const watched = { ...options, onStarted: () => (isStarted = true) };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const container = (await useExisting(cli, plan, watched)) ?? (await adopt(cli, image, plan, options)) ?? (await makeEngine(cli, image, plan, watched));
    if (container !== undefined) return { container, plan, isStarted };
    // Somebody else makes or removes a container of that name right now.
    await pause(PAUSE_MS, options.signal);
  }
  throw new RunnerError("TIMEOUT", `the container "${plan.name}" is made and removed again and again`, {
    hint: "see who else manages it",
    driver,
    retryable: true,
  });
}

/** `undefined`: there is none, or it is just being removed. */
async function useExisting(cli: ContainerCli, plan: EngineContainerPlan, options: StartOptions): Promise<ContainerDetails | undefined> {
  let found = await findContainer(cli, plan.name, options);
  // The beginning of an id counts as a name, too.
  if (found === undefined || found.state === "removing" || found.name !== plan.name) return undefined;
  compare(cli, found, plan, options);
  for (let turn = 0; turn < OTHERS_PAUSES && found !== undefined && wasNeverStarted(found); turn++) {
    await pause(PAUSE_MS, options.signal);
    found = await findContainer(cli, plan.name, options);
  }
  if (found === undefined || found.state === "removing") return undefined;
  if (isAlive(found)) {
    await refuseDraining(cli, found, options);
    if (isFresh(found)) await awaitEngine(cli, found, { ...options, started: false });
    await tellUnseenStart(cli, found, options);
    return found;
  }
  if (/^(paused|dead|stopping)$/.test(found.state)) throw containerNotRunning(cli, found);
  await requireFitHost(cli, { ...options, port: plan.ports[0] });
  return startEngine(cli, found, options);
}

function compare(cli: ContainerCli, found: ContainerDetails, plan: EngineContainerPlan, { report }: ProvisionEngineOptions): void {
  const match = matchesPlan(withoutLocalhost(found, plan), plan);
  if (match.kind === "other-options") report?.(driftWarning(plan.name, match.differences));
  if (match.kind !== "other-image") return;
  throw new RunnerError("ALREADY_EXISTS", `the container "${plan.name}" runs ${match.image}, not ${plan.image}`, {
    hint: "choose another name with container=, or remove that container",
    driver: cli.runtime.name,
    details: { container: plan.name, image: match.image, wanted: plan.image },
  });
}

async function adopt(cli: ContainerCli, image: EngineImage, plan: EngineContainerPlan, options: ProvisionEngineOptions): Promise<ContainerDetails | undefined> {
  const name = adoptableName(image, plan);
  const found = name === undefined ? undefined : await findContainer(cli, name, options);
  if (found === undefined || !mayAdopt({ ...withoutLocalhost(found, plan), name: found.name, running: found.state === "running" }, plan)) return undefined;
  options.report?.({ type: "progress", id: "engine-adopted", message: `using the engine "${found.name}", which the official client started`, done: true });
  return found;
}

async function makeEngine(cli: ContainerCli, image: EngineImage, plan: EngineContainerPlan, options: StartOptions): Promise<ContainerDetails | undefined> {
  const { report } = options;
  await checkVersion(cli, options);
  // What it warns of is of use once the engine is made, and not behind the error of one that couldn't be.
  const warnings: RunnerEvent[] = [];
  const fit = requireFitHost(cli, { ...options, report: (event) => void warnings.push(event), port: plan.ports[0] });
  fit.catch(() => undefined);
  const made = await runEngine(cli, plan, { ...options, pull: image.pull, fit });
  if (!made) return undefined;
  options.onStarted();
  for (const warning of warnings) report?.(warning);
  const message = `starting the engine "${plan.name}"`;
  report?.({ type: "progress", id: "engine-start", message });
  const container = await findContainer(cli, plan.name, options);
  if (container === undefined) return undefined;
  await awaitEngine(cli, container, { ...options, started: true });
  report?.({ type: "progress", id: "engine-start", message, done: true });
  return container;
}

async function startEngine(cli: ContainerCli, container: ContainerDetails, options: StartOptions): Promise<ContainerDetails | undefined> {
  const { report } = options;
  const message = `starting the engine "${container.name}"`;
  report?.({ type: "progress", id: "engine-start", message });
  await shareDiskOfExisting(cli, container, options);
  if (!(await startContainer(cli, container.id, options))) return undefined;
  options.onStarted();
  const started = await findContainer(cli, container.id, options);
  if (started !== undefined) await awaitEngine(cli, started, { ...options, started: true });
  report?.({ type: "progress", id: "engine-start", message, done: true });
  return started;
}

/** Podman shows what was built or loaded here as an image of the registry "localhost", which users may leave out. */
function withoutLocalhost({ image, labels, env }: ContainerDetails, plan: EngineContainerPlan): Pick<ContainerDetails, "image" | "labels" | "env"> {
  return { image: plan.image.startsWith("localhost/") ? image : image.replace(/^localhost\//, ""), labels, env };
}

/** What doesn't say when it was started may have been started just now. */
function isFresh({ startedAt }: ContainerDetails): boolean {
  return startedAt === undefined || Math.abs(Date.now() - Date.parse(startedAt)) < FRESH_MS;
}
