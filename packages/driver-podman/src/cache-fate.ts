import { throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import { cacheFateOfEnd, cacheLossAtStart } from "@anyrunner/engine-container";

import type { ContainerCli } from "./container-cli.ts";
import type { ContainerDetails } from "./container-details.ts";

/** Tells whether an engine that has ended kept its cache; `container` is what it was before. A log that can't be read says nothing. */
export async function tellCacheFate(cli: ContainerCli, container: ContainerDetails, options: CallOptions): Promise<void> {
  const log = await readSinceStart(cli, container, options);
  const event = log === undefined ? undefined : cacheFateOfEnd(container.name, log);
  if (event !== undefined) options.report?.(event);
}

/** Warns when an engine that was just started says that it discarded its cache. */
export async function tellCacheLoss(cli: ContainerCli, container: ContainerDetails, options: CallOptions): Promise<void> {
  const log = await readSinceStart(cli, container, options);
  const event = log === undefined ? undefined : cacheLossAtStart(container.name, log);
  if (event !== undefined) options.report?.(event);
}

async function readSinceStart(cli: ContainerCli, { id, name, startedAt }: ContainerDetails, { report, signal }: CallOptions): Promise<string | undefined> {
  const { logsSince } = cli.runtime.grammar;
  if (report === undefined || logsSince === undefined || startedAt === undefined) return undefined;
  try {
    const { exitCode, stdout, stderr } = await cli.attempt(logsSince(id, startedAt), { signal, doing: `read the log of "${name}"` });
    return exitCode === 0 ? stdout + stderr : undefined;
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}
