import type { DockerClient } from "@anyrunner/docker-endpoint";
import { isOwnedEngine } from "@anyrunner/engine-container";

import { findContainer, type ContainerDetails, type RestartPolicy } from "./container.ts";

/**
 * The mark of an engine that takes no new session lies where every client of the daemon sees it without another request: in the
 * container's restart policy, the one thing of a running container that can be changed. No engine is made with this one.
 */
const DRAINING: RestartPolicy = { Name: "on-failure", MaximumRetryCount: 1 };
const USUAL: RestartPolicy = { Name: "unless-stopped", MaximumRetryCount: 0 };

/** How long a daemon may take to say or change a policy, in ms. */
const BUDGET_MS = 10_000;

/** Whether a stop waits for the last sessions of an engine of ours. */
export function isDraining({ Config: config, HostConfig: host }: ContainerDetails): boolean {
  const policy = host?.RestartPolicy;
  return isOwnedEngine(config.Labels) && policy?.Name === DRAINING.Name && policy.MaximumRetryCount === DRAINING.MaximumRetryCount;
}

/** `false` for what we did not make: that stays as it is. */
export async function markDraining(client: DockerClient, container: ContainerDetails): Promise<boolean> {
  if (!isOwnedEngine(container.Config.Labels)) return false;
  await setPolicy(client, container.Id, DRAINING, AbortSignal.timeout(BUDGET_MS));
  return true;
}

/**
 * Takes the mark away, also one that a stop left behind which was killed; nothing where there is none. No abort cuts it, since the mark
 * would stay: it has a budget of its own.
 */
export async function liftDrain(client: DockerClient, container: ContainerDetails): Promise<void> {
  const signal = AbortSignal.timeout(BUDGET_MS);
  const current = await findContainer(client, container.Id, { signal });
  if (current !== undefined && isDraining(current)) await setPolicy(client, current.Id, USUAL, signal);
}

async function setPolicy(client: DockerClient, id: string, policy: RestartPolicy, signal: AbortSignal): Promise<void> {
  const { body } = await client.request({ method: "POST", path: `/containers/${id}/update`, json: { RestartPolicy: policy }, expect: [404], signal });
  body.resume();
}
