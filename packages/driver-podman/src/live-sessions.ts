import { throwIfAborted, type CallOptions } from "@anyrunner/core";
import { countSessions, enginePort, LIVE_SESSIONS_SCRIPT } from "@anyrunner/engine-container";

import type { ContainerCli } from "./container-cli.ts";
import type { ContainerDetails } from "./container-details.ts";

const BUDGET_MS = 10_000;

/**
 * How many sessions use a running engine: by its own metric, else by connections to its sockets, else by the execs that the runtime
 * knows. `undefined` when it can't be known, which counts as live. Fails only with ABORTED.
 */
export async function countLiveSessions(cli: ContainerCli, container: ContainerDetails, { signal }: CallOptions): Promise<number | undefined> {
  const port = enginePort(container.args);
  const looked = await look(cli, container, signal);
  const counted = looked === undefined ? undefined : countSessions(looked, port);
  if (counted !== undefined) return counted;
  // Without the tables nothing tells who comes by a published port.
  return port === undefined ? container.execs : undefined;
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
