import type { CallOptions } from "@anyrunner/core";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import { cacheFateOfEnd, cacheLossAtStart } from "@anyrunner/engine-container";

import { readLog } from "./container-log.ts";
import { containerName, findContainer, type ContainerDetails } from "./container.ts";

/** The engine logs much, in debug mode; what is sought comes early at a start and late at an end. */
const START_LOG_BYTES = 1024 * 1024;
const END_LINES = 200;

/** Warns when an engine that was just started says that it discarded its cache. A log that can't be read says nothing. */
export async function readCacheLoss(client: DockerClient, container: ContainerDetails, { report, signal }: CallOptions): Promise<void> {
  if (report === undefined) return;
  try {
    const current = await findContainer(client, container.Id, { signal });
    if (current === undefined) return;
    let text = "";
    for await (const chunk of readLog(client, container.Id, { tty: container.Config.Tty, since: current.State.StartedAt, signal })) {
      text += chunk;
      if (text.length > START_LOG_BYTES) break;
    }
    const event = cacheLossAtStart(containerName(container), text);
    if (event !== undefined) report(event);
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
  const event = cacheFateOfEnd(containerName(container), text);
  if (event !== undefined) report(event);
}
