import type { CallOptions } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import { cacheFateOfEnd, cacheLossAtStart, ENGINE_LABELS, isOwnedEngine } from "@anyrunner/engine-container";

import { readLog } from "./container-log.ts";
import { containerName, findContainer, type ContainerDetails } from "./container.ts";

/** The engine logs much, in debug mode; what is sought comes early at a start and late at an end. */
const START_LOG_BYTES = 1024 * 1024;
const END_LINES = 200;

export interface CacheLossOptions extends CallOptions {
  /** Says where the user's state is. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Warns when an engine of ours that somebody else has started since this user saw it last, such as its daemon after a crash, says
 * that it discarded its cache. Costs the look at one small file.
 */
export async function tellUnseenStart(client: DockerClient, container: ContainerDetails, options: CacheLossOptions): Promise<void> {
  if (options.report === undefined || !isOwnedEngine(container.Config.Labels)) return;
  const { State: state, RestartCount: restarts = 0 } = container;
  const news = await rememberStart(container, options);
  if (news === "changed" || (news === "first" && restarts > 0)) await warnOfLoss(client, container, { ...options, since: state.StartedAt });
}

/** Warns when an engine that was just started says that it discarded its cache. A log that can't be read says nothing. */
export async function readCacheLoss(client: DockerClient, container: ContainerDetails, options: CacheLossOptions): Promise<void> {
  if (options.report === undefined) return;
  const current = await findContainer(client, container.Id, { signal: options.signal }).catch(() => undefined);
  if (current === undefined) return;
  if (isOwnedEngine(current.Config.Labels)) await rememberStart(current, options);
  await warnOfLoss(client, current, { ...options, since: current.State.StartedAt });
}

async function rememberStart({ Id: id, State: state }: ContainerDetails, { env }: CacheLossOptions): Promise<"same" | "changed" | "first"> {
  const { rememberEngineStart } = await import("@anyrunner/config");
  return rememberEngineStart({ driver: "docker", id, startedAt: state.StartedAt }, { env });
}

async function warnOfLoss(client: DockerClient, container: ContainerDetails, options: CallOptions & { readonly since: string }): Promise<void> {
  const { report, since, signal } = options;
  try {
    let text = "";
    for await (const chunk of readLog(client, container.Id, { tty: container.Config.Tty, since, signal })) {
      text += chunk;
      if (text.length > START_LOG_BYTES) break;
    }
    const event = cacheLossAtStart(containerName(container), text);
    if (event !== undefined) report?.(event);
  } catch {
    // Only a warning would be missing.
  }
}

/** Tells whether an engine that has ended kept its cache; `container` is what it was before. */
export async function tellCacheFate(client: DockerClient, container: ContainerDetails, { report, signal }: CallOptions): Promise<void> {
  if (report === undefined) return;
  let text = "";
  try {
    for await (const chunk of readLog(client, container.Id, { tty: container.Config.Tty, tail: END_LINES, since: container.State.StartedAt, signal }))
      text += chunk;
  } catch {
    return;
  }
  const event = cacheFateOfEnd(containerName(container), text, container.Config.Labels?.[ENGINE_LABELS.image] ?? container.Config.Image);
  if (event !== undefined) report(event);
}
