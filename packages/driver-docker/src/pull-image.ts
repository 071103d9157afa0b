import type { CallOptions } from "@anyrunner/core/driver";
import { pullImage as pull, type DockerClient } from "@anyrunner/docker-endpoint";
import { parseImageReference } from "@anyrunner/engine-container";

export interface PullImageOptions extends CallOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform?: string | undefined;
}

/**
 * Pulls an image with the login that Docker's configuration has for its registry, and tells the progress.
 * Fails with IMAGE_PULL_FAILED, ABORTED, or as a request to the daemon does.
 */
export async function pullImage(client: DockerClient, reference: string, { env, ...options }: PullImageOptions): Promise<void> {
  const { registry } = parseImageReference(reference);
  const { registryCredentials } = await import("@anyrunner/config");
  const login = await registryCredentials({ host: registry, env, signal: options.signal, report: options.report });
  await pull(client, reference, { ...options, registry, login });
}
