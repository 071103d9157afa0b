import { openHandleStore } from "@anyrunner/config";
import { openRunner, type CallOptions, type OpenRunnerOptions, type Registry, type Runner } from "@anyrunner/core";

import type { ClientRunner } from "./choose-client-runner.ts";
import { withRemedies } from "./default-engine.ts";
import type { Surroundings } from "./surroundings.ts";

/** Which runner is opened, and with which drivers. */
export interface OpenClientRunnerOptions extends Pick<CallOptions, "signal"> {
  /** What `chooseClientRunner` found; its `chosen` must be a URL. */
  readonly runner: ClientRunner & { readonly chosen: { readonly kind: "url" } };
  /** Default: the built-in drivers and those of the project. */
  readonly registry?: Registry | undefined;
}

/**
 * Opens the runner that was chosen, without a session on it, and remembers its handle for commands that look after engines.
 * Fails as `openRunner` does; what was chosen by default names every other way.
 */
export async function openClientRunner(surroundings: Surroundings, { runner, signal, registry: given }: OpenClientRunnerOptions): Promise<Runner> {
  const { report } = surroundings;
  const registry = given ?? (await defaultRegistry(surroundings, runner));
  const ready: OpenRunnerOptions["ready"] = async (handle, call) => (await import("@anyrunner/engine")).createReadiness({ registry })(handle, call);
  const opened = await openRunner(runner.chosen.url, { registry, signal, report, ready }).catch((error: unknown) => {
    throw runner.chosen.from.kind === "default" ? withRemedies(error) : error;
  });
  await remember(surroundings, opened);
  return opened;
}

async function defaultRegistry({ cwd, env, report }: Surroundings, { config, store }: ClientRunner): Promise<Registry> {
  const { createDefaultRegistry } = await import("@anyrunner/drivers");
  return createDefaultRegistry({ cwd, env, config, store, report });
}

/** Notes the handle of a runner that other commands can look after, where the driver lets them. What can't be written is only forgotten. */
async function remember({ env }: Surroundings, { url, driver, handle }: Runner): Promise<void> {
  if (driver.capabilities.every((capability) => capability === "half-close" || capability === "provision")) return;
  await openHandleStore({ env })
    .remember({ url, handle })
    .catch(() => {});
}
