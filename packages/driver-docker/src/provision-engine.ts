import { pause, RunnerError, throwIfAborted, type ProvisionOptions, type RunnerEvent } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import {
  adoptableName,
  driftWarning,
  engineDraining,
  matchesPlan,
  mayAdopt,
  planEngineContainer,
  type EngineContainerPlan,
  type EngineImage,
} from "@anyrunner/engine-container";

import { awaitEngine } from "./await-engine.ts";
import { tellUnseenStart } from "./cache-fate.ts";
import { containerName, containerNotRunning, findContainer, type ContainerDetails } from "./container.ts";
import { isDraining } from "./drain-mark.ts";
import { createEngine } from "./create-engine.ts";
import { readEngineFacts } from "./engine-facts.ts";
import { requireFitHost } from "./require-fit-host.ts";
import { shareDiskAmongEngines } from "./share-disk.ts";
import { startContainer } from "./start-container.ts";

export interface ProvisionEngineOptions extends ProvisionOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly engineVersion: string | undefined;
}

interface StartOptions extends ProvisionEngineOptions {
  readonly onStarted: () => void;
}

const ATTEMPTS = 20;
const PAUSE_MS = 250;
/** An engine that was started by another caller so recently may not answer yet. */
const FRESH_MS = 60_000;

export interface ProvisionedEngine {
  readonly container: ContainerDetails;
  readonly plan: EngineContainerPlan;
  /** Whether this call has started it. */
  readonly isStarted: boolean;
}

/**
 * Finds the engine of an image or makes one; callers at once, in other processes too, get the same container. Order: the container
 * of the planned name, a running one of the official client for the same image, a new one. What this call or another has just
 * started is waited for by `ready`.
 */
export async function provisionEngine(client: DockerClient, image: EngineImage, options: ProvisionEngineOptions): Promise<ProvisionedEngine> {
  const { endpoint } = client;
  const facts = await readEngineFacts(image, { env: options.env, engineVersion: options.engineVersion, endpoint, report: options.report });
  const plan = planEngineContainer(image, facts);
  let isStarted = false;
  const watched = { ...options, onStarted: () => (isStarted = true) };
  const adoptable = adoptableName(image, plan);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const container =
      (await useExisting(client, plan, watched)) ?? (await adopt(client, plan, adoptable, options)) ?? (await makeEngine(client, image, plan, watched));
    if (container !== undefined) return { container, plan, isStarted };
    // Somebody else makes or removes a container of that name right now.
    await pause(PAUSE_MS, options.signal);
  }
  throw new RunnerError("TIMEOUT", `the container "${plan.name}" is made and removed again and again`, {
    hint: "see who else manages it",
    driver: "docker",
    retryable: true,
  });
}

/** `undefined`: there is none, or it is just being removed. */
async function useExisting(client: DockerClient, plan: EngineContainerPlan, options: StartOptions): Promise<ContainerDetails | undefined> {
  const found = await findContainer(client, plan.name, options);
  // The daemon takes the beginning of an id for a name, too.
  if (found === undefined || found.State.Status === "removing" || containerName(found) !== plan.name) return undefined;
  compare(found, plan, options);
  switch (found.State.Status) {
    case "running":
    case "restarting":
      if (isDraining(found)) throw engineDraining({ driver: "docker", name: plan.name });
      if (isFresh(found)) await awaitEngine(client, found, { ...options, started: false });
      await tellUnseenStart(client, found, options);
      return found;
    case "paused":
    case "dead":
      throw containerNotRunning(client.endpoint, found);
    default:
      await requireFitHost(client, { ...options, port: plan.ports[0] });
      return startEngine(client, found, options);
  }
}

function compare(found: ContainerDetails, plan: EngineContainerPlan, { report }: ProvisionEngineOptions): void {
  const env = Object.fromEntries((found.Config.Env ?? []).map((text) => [text.split("=", 1)[0] ?? "", text.slice(text.indexOf("=") + 1)]));
  const match = matchesPlan({ labels: found.Config.Labels ?? {}, image: found.Config.Image, env }, plan);
  if (match.kind === "other-options") report?.(driftWarning(plan.name, match.differences));
  if (match.kind !== "other-image") return;
  throw new RunnerError("ALREADY_EXISTS", `the container "${plan.name}" runs ${match.image}, not ${plan.image}`, {
    hint: "choose another name with container=, or remove that container",
    driver: "docker",
    details: { container: plan.name, image: match.image, wanted: plan.image },
  });
}

async function adopt(
  client: DockerClient,
  plan: EngineContainerPlan,
  name: string | undefined,
  options: ProvisionEngineOptions,
): Promise<ContainerDetails | undefined> {
  const found = name === undefined ? undefined : await findContainer(client, name, options);
  if (found === undefined) return undefined;
  const listed = { name: containerName(found), image: found.Config.Image, labels: found.Config.Labels ?? {}, running: found.State.Status === "running" };
  if (!mayAdopt(listed, plan)) return undefined;
  options.report?.({ type: "progress", id: "engine-adopted", message: `using the engine "${listed.name}", which the official client started`, done: true });
  return found;
}

async function makeEngine(client: DockerClient, image: EngineImage, plan: EngineContainerPlan, options: StartOptions): Promise<ContainerDetails | undefined> {
  // What it warns of is of use once the engine is made, and not behind the error of one that couldn't be.
  const warnings: RunnerEvent[] = [];
  const fit = requireFitHost(client, { ...options, report: (event) => void warnings.push(event), port: plan.ports[0] });
  // Looked at only when the container is made, which takes as long.
  fit.catch(() => undefined);
  const id = await createEngine(client, plan, { ...options, pull: image.pull });
  if (id === undefined) return undefined;
  try {
    await fit;
    for (const warning of warnings) options.report?.(warning);
    const made = await findContainer(client, id, {});
    return made === undefined ? undefined : await startEngine(client, made, options);
  } catch (error) {
    // Without force, a container that runs stays: another caller may have started it.
    await client.request({ method: "DELETE", path: `/containers/${id}`, expect: [404, 409] }).then(
      ({ body }) => body.resume(),
      () => undefined,
    );
    throw error;
  }
}

async function startEngine(client: DockerClient, container: ContainerDetails, options: StartOptions): Promise<ContainerDetails | undefined> {
  const { report } = options;
  const message = `starting the engine "${containerName(container)}"`;
  report?.({ type: "progress", id: "engine-start", message });
  await shareDiskAmongEngines(client, container, options);
  throwIfAborted(options.signal);
  if (!(await startContainer(client, container, options))) return undefined;
  options.onStarted();
  await awaitEngine(client, container, { ...options, started: true });
  report?.({ type: "progress", id: "engine-start", message, done: true });
  return findContainer(client, container.Id, options);
}

function isFresh({ State: state }: ContainerDetails): boolean {
  return Math.abs(Date.now() - Date.parse(state.StartedAt)) < FRESH_MS;
}
