import type { CallOptions } from "@anyrunner/core";
import type { DockerClient } from "@anyrunner/docker-endpoint";

import { readLog } from "./container-log.ts";
import { containerName, findContainer, type ContainerDetails } from "./container.ts";

/** What an engine logs when it has written down its cache, and when it finds at its start that it had not (decisions.md 4). */
const KEPT = "marking dagql cache clean shutdown";
const DISCARDED = /local cache state invalid; resetting[^\n]*/;
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
    const found = DISCARDED.exec(text);
    if (found === null) return;
    const name = containerName(container);
    const reason = /reason="?([^"\n]*?)"?( \w+=|$)/.exec(found[0])?.[1];
    report({
      type: "warning",
      id: `cache-discarded-${name}`,
      message: `the engine "${name}" discarded its cache at this start${reason === undefined ? "" : `: ${reason}`}`,
      hint: "let an engine end by itself: anyrunner stop waits for it",
    });
  } catch {
    // Only a warning would be missing.
  }
}

/** Tells whether an engine that has ended kept its cache; `container` is what it was before. */
export async function tellCacheFate(client: DockerClient, container: ContainerDetails, { report, signal }: CallOptions): Promise<void> {
  if (report === undefined) return;
  const name = containerName(container);
  let text = "";
  try {
    for await (const chunk of readLog(client, container.Id, { tty: container.Config.Tty, tail: END_LINES, since: container.State.StartedAt, signal }))
      text += chunk;
  } catch {
    return;
  }
  if (text.includes(KEPT)) report({ type: "progress", id: `cache-kept-${name}`, message: `the engine "${name}" stopped; its cache is kept`, done: true });
  else if (text.includes("dagger-engine") || text.includes("buildkit"))
    report({
      type: "warning",
      id: `cache-unsure-${name}`,
      message: `the engine "${name}" ended without saying that its cache is complete: it may discard it at the next start`,
      hint: "give it more time to stop",
    });
}
