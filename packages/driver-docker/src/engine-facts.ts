import { isLoopback, type Reporter } from "@anyrunner/core/driver";
import { parseDockerHost, type DockerEndpoint } from "@anyrunner/docker-endpoint";
import { readEngineFiles, readRemoteEngineFiles, type EngineFacts, type EngineImage } from "@anyrunner/engine-container";

export interface ReadEngineFactsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly endpoint: DockerEndpoint;
  readonly engineVersion: string | undefined;
  readonly report?: Reporter | undefined;
}

/**
 * What a new engine gets of its surroundings: the user's engine.json and CA certificates, or those that the URL names. On another
 * machine's daemon only named paths are used, as that machine's. Fails with INVALID_OPTION for a path of this machine that can't be read.
 */
export async function readEngineFacts(image: EngineImage, options: ReadEngineFactsOptions): Promise<EngineFacts> {
  const { env, engineVersion } = options;
  const { endpoint, report } = options;
  const where = `the Docker daemon at ${endpoint.host}`;
  const files = isLocal(endpoint) ? await readEngineFiles(image, { env }) : await readRemoteEngineFiles(image, { env, report, where });
  return { env, engineVersion, ...files };
}

function isLocal({ host }: DockerEndpoint): boolean {
  const address = parseDockerHost(host);
  return address.kind === "unix" || address.kind === "npipe" || (address.kind === "tcp" && isLoopback(address.hostname));
}
