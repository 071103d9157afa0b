import { RunnerError, type CallOptions, type RunnerEvent } from "@anyrunner/core/driver";
import { pullImage as pull, type DockerClient } from "@anyrunner/docker-endpoint";
import { parseImageReference } from "@anyrunner/engine-container";

export interface PullImageOptions extends CallOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform?: string | undefined;
}

/**
 * Pulls an image with the login that Docker's configuration has for its registry, and tells the progress. Why that has none, such as a helper
 * that is missing, is told where a login is wanted: most engines come from public registries.
 * Fails with IMAGE_PULL_FAILED, ABORTED, or as a request to the daemon does.
 */
export async function pullImage(client: DockerClient, reference: string, { env, ...options }: PullImageOptions): Promise<void> {
  const { registry } = parseImageReference(reference);
  const { registryCredentials } = await import("@anyrunner/config");
  const warnings: RunnerEvent[] = [];
  const login = await registryCredentials({ host: registry, env, signal: options.signal, report: (event) => void warnings.push(event) });
  try {
    await pull(client, reference, { ...options, registry, login });
  } catch (error) {
    throw login === undefined ? withReasons(error, warnings.flatMap(reasonOf)) : error;
  }
}

function withReasons(error: unknown, reasons: readonly string[]): unknown {
  if (reasons.length === 0 || !RunnerError.is(error) || error.hint?.startsWith("log in") !== true) return error;
  const { code, message, hint, details, cause } = error;
  return new RunnerError(code, message, { hint: [...reasons, hint].join("\n"), cause, driver: "docker", details });
}

/** `docker-credential-desktop is not installed: install it, or remove it from Docker's config.json` */
function reasonOf(event: RunnerEvent): readonly string[] {
  if (event.type !== "warning") return [];
  const [reason = ""] = event.message.split(/; (?:going on without|registries are used without)/);
  return [event.hint === undefined ? reason : `${reason}: ${event.hint}`];
}
