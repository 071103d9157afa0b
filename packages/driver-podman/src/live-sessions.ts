import { throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import { countSessions, enginePort, LIVE_SESSIONS_SCRIPT } from "@anyrunner/engine-container";

import type { ContainerCli } from "./container-cli.ts";
import type { ContainerDetails } from "./container-details.ts";

const BUDGET_MS = 10_000;

/**
 * How many sessions use a running engine: by its own metric, else by connections to its sockets; none where no engine listens.
 * `undefined` when it can't be known, which counts as live. Fails only with ABORTED.
 */
export async function countLiveSessions(cli: ContainerCli, container: ContainerDetails, { signal }: CallOptions): Promise<number | undefined> {
  const looked = await look(cli, container, signal);
  // Execs say nothing here: podman goes on listing those that were cut off for five minutes.
  return looked === undefined ? undefined : (countSessions(looked, enginePort(container.args)) ?? 0);
}

async function look(cli: ContainerCli, { id, name }: ContainerDetails, signal: AbortSignal | undefined): Promise<string | undefined> {
  const args = cli.runtime.grammar.exec(id, ["sh", "-c", LIVE_SESSIONS_SCRIPT]);
  try {
    const { exitCode, stdout } = await cli.attempt(args, { signal, doing: `look into the container "${name}"`, budgetMs: BUDGET_MS });
    return exitCode === 0 ? stdout : undefined;
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}
