import type { CallOptions } from "@anyrunner/core/driver";
import { ENGINE_LABELS, engineDraining, isOwnedEngine } from "@anyrunner/engine-container";

import { commandFailure } from "./command-failure.ts";
import type { ContainerCli } from "./container-cli.ts";
import type { ContainerDetails } from "./container-details.ts";
import { NAME_TAKEN } from "./known-failure.ts";

/**
 * The mark of an engine that takes no new session is an empty volume of its name: every client of the runtime sees it, and nothing
 * about a running container can be changed with all of these runtimes.
 */
const DRAINING_ROLE = "draining";
const nameOf = ({ name }: Pick<ContainerDetails, "name">) => `${name}-draining`;

/** Fails with NOT_RUNNING for an engine of ours that a stop waits for. */
export async function refuseDraining(cli: ContainerCli, container: ContainerDetails, options: CallOptions): Promise<void> {
  if (isOwnedEngine(container.labels) && (await isMarked(cli, container, options))) throw engineDraining({ driver: cli.runtime.name, name: container.name });
}

/** Gives what takes the mark away; what we did not make stays without one. */
export async function markDraining(cli: ContainerCli, container: ContainerDetails, options: CallOptions): Promise<() => Promise<void>> {
  if (!isOwnedEngine(container.labels)) return async () => {};
  const doing = `mark the engine "${container.name}"`;
  const result = await cli.attempt(cli.runtime.grammar.createVolume(nameOf(container), { [ENGINE_LABELS.role]: DRAINING_ROLE }), { ...options, doing });
  if (result.exitCode !== 0 && !NAME_TAKEN.test(result.stderr)) throw commandFailure(cli, result, doing);
  return () => liftDrain(cli, container);
}

/** Takes the mark away, also one that a stop left behind which was killed; nothing where there is none. */
export async function liftDrain(cli: ContainerCli, container: Pick<ContainerDetails, "name">): Promise<void> {
  await cli.attempt(cli.runtime.grammar.removeVolume(nameOf(container)), { doing: `let sessions in again` });
}

async function isMarked(cli: ContainerCli, container: ContainerDetails, options: CallOptions): Promise<boolean> {
  const { grammar } = cli.runtime;
  const { exitCode, stdout } = await cli.attempt(grammar.inspectVolume(nameOf(container)), { ...options, doing: "look for a mark" });
  if (exitCode !== 0) return false;
  try {
    return grammar.parseVolumeLabels(stdout)[ENGINE_LABELS.role] === DRAINING_ROLE;
  } catch {
    return false;
  }
}
