import { RunnerError, STOP_GRACE_MS, type CallOptions, type DestroyOptions, type StopOptions } from "@anyrunner/core/driver";
import { drainEngine, ENGINE_LABELS, isOwnedCache, isOwnedEngine } from "@anyrunner/engine-container";

import { tellCacheFate } from "./cache-fate.ts";
import { commandFailure } from "./command-failure.ts";
import { findContainer } from "./container.ts";
import type { ContainerCli } from "./container-cli.ts";
import { isAlive, type ContainerDetails } from "./container-details.ts";
import { liftDrain, markDraining } from "./drain-mark.ts";
import type { ContainerHandle } from "./handle.ts";
import { NO_CONTAINER, NO_VOLUME } from "./known-failure.ts";
import { countLiveSessions } from "./live-sessions.ts";
import { requireFitHost } from "./require-fit-host.ts";
import { shareDiskOfExisting } from "./share-disk.ts";

/** What a CLI needs beyond the grace. */
const STOP_MARGIN_MS = 30_000;

/** Starts a container; one that runs is left alone, since starting it again ends it with some runtimes. `false`: there is none. */
export async function startContainer(cli: ContainerCli, container: string, options: CallOptions): Promise<boolean> {
  const found = await findContainer(cli, container, options);
  if (found === undefined) return false;
  if (isAlive(found)) return true;
  const doing = `start the container "${found.name}"`;
  const result = await cli.attempt(cli.runtime.grammar.start(container), { ...options, doing });
  if (result.exitCode === 0) return true;
  if (NO_CONTAINER.test(result.stderr)) return false;
  // Another caller may have been faster.
  const now = await findContainer(cli, container, options);
  if (now !== undefined && isAlive(now)) return true;
  throw commandFailure(cli, result, doing);
}

/**
 * Starts a stopped engine, and lets new sessions in again where a stop keeps them away; what doesn't run is preceded by a look at what it
 * needs, and fails as that does. `false`: there is none.
 */
export async function startEngineContainer(cli: ContainerCli, { endpoint }: ContainerHandle, options: CallOptions): Promise<boolean> {
  const found = await findContainer(cli, endpoint.container, options);
  if (found !== undefined && !isAlive(found)) {
    await requireFitHost(cli, options);
    await shareDiskOfExisting(cli, found, options);
  }
  if (found === undefined || !(await startContainer(cli, endpoint.container, options))) return false;
  await liftDrain(cli, endpoint);
  return true;
}

/**
 * Lets no new session in, waits until those that are there have ended, then ends the engine; each may take `graceMs`. With 0 it is killed at once.
 * Fails with TIMEOUT when sessions are still there, and then leaves it running.
 */
export async function stopContainer(cli: ContainerCli, handle: ContainerHandle, options: StopOptions): Promise<void> {
  const { graceMs = STOP_GRACE_MS, drainMs = graceMs, report, signal } = options;
  const found = await findContainer(cli, handle.endpoint.container, options);
  if (found === undefined || (!isAlive(found) && found.state !== "paused")) return;
  const stop = () => endContainer(cli, found, { graceMs, signal });
  if (graceMs === 0 || found.state !== "running") await stop();
  else {
    const countSessions = async (call: CallOptions) => {
      const current = await findContainer(cli, found.id, call);
      return current?.state === "running" ? countLiveSessions(cli, current, call) : ("gone" as const);
    };
    const engine = { driver: cli.runtime.name, name: found.name, countSessions, mark: (call: CallOptions) => markDraining(cli, found, call) };
    await drainEngine(engine, { drainMs, report, signal, thenStop: stop });
  }
  await tellCacheFate(cli, found, options);
}

async function endContainer(cli: ContainerCli, { id, name }: ContainerDetails, { graceMs, signal }: StopOptions & { readonly graceMs: number }): Promise<void> {
  const doing = `stop the container "${name}"`;
  const args = cli.runtime.grammar.stop(id, { seconds: Math.ceil(graceMs / 1000) });
  const result = await cli.attempt(args, { signal, doing, budgetMs: graceMs + STOP_MARGIN_MS });
  if (result.exitCode !== 0 && !NO_CONTAINER.test(result.stderr)) throw commandFailure(cli, result, doing);
}

/** Stops and removes an engine that we made, and its volume when asked. Fails with UNSUPPORTED for what is not ours. */
export async function destroyContainer(cli: ContainerCli, handle: ContainerHandle, options: DestroyOptions): Promise<void> {
  const { container, name } = handle.endpoint;
  const found = await findContainer(cli, container, options);
  if (!handle.owned || (found !== undefined && !isOwnedEngine(found.labels))) throw notOurs(cli, name);
  if (found !== undefined) {
    await stopContainer(cli, handle, options);
    const doing = `remove the container "${name}"`;
    const result = await cli.attempt(cli.runtime.grammar.remove(container), { ...options, doing });
    if (result.exitCode !== 0 && (await findContainer(cli, container, options)) !== undefined) throw commandFailure(cli, result, doing);
  }
  const volume = handle.labels[ENGINE_LABELS.volume];
  if (options.volume && volume !== undefined) await removeVolume(cli, volume, options);
}

async function removeVolume(cli: ContainerCli, volume: string, options: CallOptions): Promise<void> {
  const { grammar } = cli.runtime;
  const looked = await cli.attempt(grammar.inspectVolume(volume), { ...options, doing: `look at the volume "${volume}"` });
  if (looked.exitCode !== 0) {
    if (NO_VOLUME.test(looked.stderr)) return;
    throw commandFailure(cli, looked, `look at the volume "${volume}"`);
  }
  if (!isOwnedCache(grammar.parseVolumeLabels(looked.stdout))) {
    options.report?.({
      type: "warning",
      id: `volume-${volume}`,
      message: `the volume "${volume}" stays: anyrunner did not make it`,
      hint: `remove it yourself: ${cli.shown} volume rm ${volume}`,
    });
    return;
  }
  const doing = `remove the volume "${volume}"`;
  const result = await cli.attempt(grammar.removeVolume(volume), { ...options, doing });
  if (result.exitCode !== 0 && !NO_VOLUME.test(result.stderr)) throw commandFailure(cli, result, doing);
}

function notOurs(cli: ContainerCli, name: string): RunnerError {
  return new RunnerError("UNSUPPORTED", `anyrunner did not make the container "${name}", so it does not remove it`, {
    hint: `remove it yourself: ${cli.shown} rm -f ${name}`,
    driver: cli.runtime.name,
    details: { container: name },
  });
}
