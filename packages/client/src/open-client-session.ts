import { findEngineVersion, registryCredentials, stableClientId } from "@anyrunner/config";
import { throwIfAborted } from "@anyrunner/core";
import type { EngineSession, OpenSessionOptions } from "@anyrunner/engine";

import { holdLease } from "./hold-lease.ts";
import { warnIgnoredVariables } from "./ignored-variables.ts";
import { openClientRunner, type OpenClientRunnerOptions } from "./open-client-runner.ts";
import type { Surroundings } from "./surroundings.ts";

type EngineOptions = Pick<
  OpenSessionOptions,
  "attachables" | "clientVersion" | "connectBudgetMs" | "labels" | "metadata" | "onTelemetry" | "onTelemetryBatch" | "shutdownBudgetMs"
>;

/** Which runner is opened, and what the session on it is told; what is left out is found in the surroundings. */
export interface OpenClientSessionOptions extends EngineOptions, OpenClientRunnerOptions {}

/**
 * Opens a session on the runner that was chosen, as a client of these surroundings: the stable identity of the user, the version that
 * the project's SDK has, Docker's logins. Fails as `openRunner` and `openSession` do; what was chosen by default names every other way.
 */
export async function openClientSession(surroundings: Surroundings, options: OpenClientSessionOptions): Promise<EngineSession> {
  const { env, cwd, report } = surroundings;
  const { signal } = options;
  // Loaded while the driver looks for the runner.
  const engine = import("@anyrunner/engine");
  const clientVersion = options.clientVersion ?? projectVersion(surroundings);
  const [opened, stableId] = await Promise.all([openClientRunner(surroundings, options), stableClientId({ env, report })]);
  throwIfAborted(signal);
  const { openSession } = await engine;
  const session = await openSession(opened, {
    env,
    cwd,
    stableId,
    signal,
    report,
    labels: options.labels,
    clientVersion: await clientVersion,
    metadata: options.metadata,
    attachables: { credentials: (host, call) => registryCredentials({ host, env, report, signal: call.signal }), ...options.attachables },
    onTelemetry: options.onTelemetry,
    onTelemetryBatch: options.onTelemetryBatch,
    connectBudgetMs: options.connectBudgetMs,
    shutdownBudgetMs: options.shutdownBudgetMs,
  });
  warnIgnoredVariables({ env, engine: session.engine.version, report });
  return holdLease(session, { env });
}

/** The version that the project's SDK has, if its files say exactly one: it selects the API that the engine shows. */
async function projectVersion({ cwd, env }: Surroundings): Promise<string | undefined> {
  const { chosen } = await findEngineVersion({ cwd, env });
  return chosen?.exact ? chosen.version : undefined;
}
