import { throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import { cacheFateOfEnd, cacheLossAtStart, ENGINE_LABELS, isOwnedEngine } from "@anyrunner/engine-container";

import type { ContainerCli } from "./container-cli.ts";
import type { ContainerDetails } from "./container-details.ts";
import { readLogSince } from "./container-log.ts";
import { createHandle } from "./handle.ts";

/** The engine logs much, in debug mode; what is sought comes early at a start and late at an end. */
const LOG_LIMIT = 1024 * 1024;
const END_LINES = 200;

/** Tells whether an engine that has ended kept its cache; `container` is what it was before. A log that can't be read says nothing. */
export async function tellCacheFate(cli: ContainerCli, container: ContainerDetails, options: CallOptions): Promise<void> {
  const log = await readSinceStart(cli, container, { ...options, tail: END_LINES });
  const event = log === undefined ? undefined : cacheFateOfEnd(container.name, log, container.labels[ENGINE_LABELS.image] ?? container.image);
  if (event !== undefined) options.report?.(event);
}

/** Warns when an engine that was just started from here says that it discarded its cache. */
export async function tellCacheLoss(cli: ContainerCli, container: ContainerDetails, options: CallOptions): Promise<void> {
  if (options.report === undefined) return;
  if (isOwnedEngine(container.labels)) await rememberStart(cli, container);
  await warnOfLoss(cli, container, options);
}

/**
 * The same for an engine of ours that somebody else has started since this user saw it last, such as its runtime after a crash.
 * Costs the look at one small file.
 */
export async function tellUnseenStart(cli: ContainerCli, container: ContainerDetails, options: CallOptions): Promise<void> {
  if (options.report === undefined || !isOwnedEngine(container.labels)) return;
  const news = await rememberStart(cli, container);
  if (news === "changed" || (news === "first" && (container.restarts ?? 0) > 0)) await warnOfLoss(cli, container, options);
}

async function rememberStart(cli: ContainerCli, container: ContainerDetails): Promise<"same" | "changed" | "first"> {
  if (container.startedAt === undefined) return "same";
  const { rememberEngineStart } = await import("@anyrunner/config");
  const { driver, id } = createHandle(cli, container);
  return rememberEngineStart({ driver, id, startedAt: container.startedAt }, { env: cli.env });
}

async function warnOfLoss(cli: ContainerCli, container: ContainerDetails, options: CallOptions): Promise<void> {
  const log = await readSinceStart(cli, container, options);
  const event = log === undefined ? undefined : cacheLossAtStart(container.name, log);
  if (event !== undefined) options.report?.(event);
}

async function readSinceStart(
  cli: ContainerCli,
  { id, startedAt }: ContainerDetails,
  { report, signal, tail }: CallOptions & { readonly tail?: number },
): Promise<string | undefined> {
  if (report === undefined || startedAt === undefined) return undefined;
  try {
    return await readLogSince(cli, id, { since: startedAt, tail, limit: LOG_LIMIT, signal });
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}
