import { findEngineVersion, openHandleStore, registryCredentials, stableClientId } from "@anyrunner/config";
import { openRunner, throwIfAborted, type CallOptions, type OpenRunnerOptions, type Registry, type Runner } from "@anyrunner/core";
import type { EngineSession, OpenSessionOptions } from "@anyrunner/engine";

import type { ClientRunner } from "./choose-client-runner.ts";
import { withRemedies } from "./default-engine.ts";
import { warnIgnoredVariables } from "./ignored-variables.ts";
import type { Surroundings } from "./surroundings.ts";

type EngineOptions = Pick<OpenSessionOptions, "attachables" | "clientVersion" | "connectBudgetMs" | "labels" | "metadata" | "onTelemetry" | "shutdownBudgetMs">;

export interface OpenClientSessionOptions extends EngineOptions, Pick<CallOptions, "signal"> {
  /** What `chooseClientRunner` found; its `chosen` must be a URL. */
  readonly runner: ClientRunner & { readonly chosen: { readonly kind: "url" } };
  /** Default: the built-in drivers and those of the project. */
  readonly registry?: Registry | undefined;
}

/**
 * Opens a session on the runner that was chosen, as a client of these surroundings: the stable identity of the user, the version that
 * the project's SDK has, Docker's logins. Fails as `openRunner` and `openSession` do; what was chosen by default names every other way.
 */
export async function openClientSession(surroundings: Surroundings, options: OpenClientSessionOptions): Promise<EngineSession> {
  const { env, cwd, report } = surroundings;
  const { runner, signal } = options;
  // Loaded while the driver looks for the runner.
  const engine = import("@anyrunner/engine");
  const clientVersion = options.clientVersion ?? projectVersion(surroundings);
  const [registry, stableId] = await Promise.all([options.registry ?? defaultRegistry(surroundings, runner), stableClientId({ env, report })]);
  throwIfAborted(signal);
  const ready: OpenRunnerOptions["ready"] = async (handle, call) => (await engine).createReadiness({ registry })(handle, call);
  const opened = await openRunner(runner.chosen.url, { registry, signal, report, ready }).catch((error: unknown) => {
    throw runner.chosen.from.kind === "default" ? withRemedies(error) : error;
  });
  const remembered = remember(surroundings, opened);
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
    connectBudgetMs: options.connectBudgetMs,
    shutdownBudgetMs: options.shutdownBudgetMs,
  });
  await remembered;
  warnIgnoredVariables({ env, engine: session.engine.version, report });
  return session;
}

async function defaultRegistry({ cwd, env, report }: Surroundings, { config, store }: ClientRunner): Promise<Registry> {
  const { createDefaultRegistry } = await import("@anyrunner/drivers");
  return createDefaultRegistry({ cwd, env, config, store, report });
}

/** The version that the project's SDK has, if its files say exactly one: it selects the API that the engine shows. */
async function projectVersion({ cwd, env }: Surroundings): Promise<string | undefined> {
  const { chosen } = await findEngineVersion({ cwd, env });
  return chosen?.exact ? chosen.version : undefined;
}

/** Notes the handle of a runner that other commands can look after, where the driver lets them. What can't be written is only forgotten. */
async function remember({ env }: Surroundings, { url, driver, handle }: Runner): Promise<void> {
  if (driver.capabilities.every((capability) => capability === "half-close" || capability === "provision")) return;
  await openHandleStore({ env })
    .remember({ url, handle })
    .catch(() => {});
}
