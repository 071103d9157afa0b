import { RunnerError, throwIfAborted, unavailable, type CallOptions, type ProbeResult, type RunnerDriver, type RunnerState } from "@anyrunner/core/driver";
import { cleansUp, ENGINE_LABELS, ENGINE_ROLE, isOwnedEngine, withSecrets } from "@anyrunner/engine-container";

import { checkRuntime, checkRuntimeFirst, checkVersion } from "./check-runtime.ts";
import { tellUnseenStart } from "./cache-fate.ts";
import { cleanUp, keepLatest } from "./clean-up.ts";
import { connectContainer } from "./connection.ts";
import { containerNotFound, findContainer, listContainers, requireContainer } from "./container.ts";
import type { ContainerCli } from "./container-cli.ts";
import { createContainerCli, type CliSettings } from "./create-container-cli.ts";
import { describeState, hasEnded, isAlive, wasNeverStarted, type ContainerDetails } from "./container-details.ts";
import { readLog } from "./container-log.ts";
import { refuseDraining } from "./drain-mark.ts";
import { createHandle, type ContainerHandle } from "./handle.ts";
import { destroyContainer, startEngineContainer, stopContainer } from "./lifecycle.ts";
import { provisionEngine } from "./provision-engine.ts";
import type { RuntimeName } from "./runtime.ts";
import { RUNTIMES } from "./runtimes.ts";
import { parseContainerTarget, runtimeOptions, type ContainerTarget } from "./target.ts";

/** What a user of the driver sets once. */
export interface ContainerCliSettings extends CliSettings {
  /** The engine version of the project, for `version=auto`. */
  readonly engineVersion?: string | undefined;
  /** Budget for pulling an image, in ms. Default 600,000. */
  readonly pullBudgetMs?: number | undefined;
}

/** A driver for engines in the containers of one runtime, which is spoken to by its command-line program only. */
export function createContainerCliDriver(name: RuntimeName, settings: ContainerCliSettings = {}): RunnerDriver<ContainerTarget, ContainerHandle> {
  const runtime = RUNTIMES[name];
  const cliFor = (place: string | undefined) => createContainerCli(runtime, place, settings);
  const cliOf = (handle: ContainerHandle) => cliFor(handle.endpoint.place);
  return {
    specVersion: 1,
    name,
    schemes: [...runtime.schemes.container, ...runtime.schemes.image],
    capabilities: ["provision", "half-close", "inspect", "logs", "lifecycle", "list"],
    options: runtimeOptions(runtime),
    parse: (url) => parseContainerTarget(runtime, url),
    async probe(target, options) {
      try {
        return { available: true, detail: await look(cliFor(target.place), target, options) };
      } catch (error) {
        throwIfAborted(options.signal);
        return reasonOf(error);
      }
    },
    async provision(target, options) {
      const cli = cliFor(target.place);
      if (target.kind === "container") {
        await checkRuntimeFirst(cli, options);
        const container = await requireContainer(cli, target.container, options);
        await refuseDraining(cli, container, options);
        await tellUnseenStart(cli, container, options);
        return createHandle(cli, container);
      }
      const { container, plan, isStarted } = await provisionEngine(cli, withSecrets(target.image, options.secrets), { ...options, ...settings });
      const call = { signal: options.signal, report: options.report, own: container.name };
      if (cleansUp(target.image, cli.env)) await cleanUp(cli, call);
      if (target.image.keep !== undefined && isStarted) await keepLatest(cli, { ...call, image: plan.image, keep: target.image.keep });
      return createHandle(cli, container);
    },
    connect: (handle, options) => connectContainer(cliOf(handle), handle, options),
    inspect: async (handle, options) => stateOf(await findContainer(cliOf(handle), handle.endpoint.container, options)),
    async *logs(handle, { tail = 100, follow = false, signal }) {
      const cli = cliOf(handle);
      const container = await findContainer(cli, handle.endpoint.container, { signal });
      if (container === undefined) throw await containerNotFound(cli, handle.endpoint.name, { signal });
      yield* readLog(cli, container.id, { tail, follow, signal });
    },
    async start(handle, options) {
      const cli = cliOf(handle);
      if (!(await startEngineContainer(cli, handle, options))) throw await containerNotFound(cli, handle.endpoint.name, options);
    },
    stop: (handle, options) => stopContainer(cliOf(handle), handle, options),
    destroy: (handle, options) => destroyContainer(cliOf(handle), handle, options),
    async list(options) {
      const cli = cliFor(undefined);
      const containers = await listContainers(cli, { name: ENGINE_LABELS.role, value: ENGINE_ROLE }, options);
      return containers.filter(({ labels }) => isOwnedEngine(labels)).map((container) => createHandle(cli, container));
    },
  };
}

/** The detail of what is available. */
async function look(cli: ContainerCli, target: ContainerTarget, options: CallOptions): Promise<string> {
  await checkRuntimeFirst(cli, options);
  if (target.kind === "container") {
    const container = await requireContainer(cli, target.container, options);
    return `the container "${container.name}" ${describeState(container)}`;
  }
  const [version] = await Promise.all([checkVersion(cli, options), checkRuntime(cli, options)]);
  return `${cli.runtime.title} ${version ?? "of unknown version"}`;
}

function reasonOf(error: unknown): ProbeResult {
  if (!RunnerError.is(error)) throw error;
  return unavailable(error);
}

function stateOf(container: ContainerDetails | undefined): RunnerState {
  if (container === undefined) return { status: "missing" };
  const { id, name, image, state, startedAt, exitCode, oomKilled, restarts } = container;
  return {
    status: runnerStatus(container),
    image,
    ...(startedAt !== undefined && { startedAt }),
    ...(hasEnded(container) && exitCode !== undefined && { exitCode }),
    ...(hasEnded(container) && oomKilled !== undefined && { oomKilled }),
    details: { container: id, name, state, ...(restarts !== undefined && { restarts }) },
  };
}

function runnerStatus(container: ContainerDetails): RunnerState["status"] {
  if (container.state === "running") return "running";
  if (isAlive(container)) return "starting";
  return hasEnded(container) || wasNeverStarted(container) || container.state === "paused" ? "stopped" : "unknown";
}
