import type { Reporter } from "@anyrunner/core";
import { isLoopback, parseDockerHost, type DockerEndpoint } from "@anyrunner/docker-endpoint";
import { readEngineFiles, type EngineFacts, type EngineFiles, type EngineImage } from "@anyrunner/engine-container";

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
  const files = isLocal(options.endpoint) ? await readEngineFiles(image, { env }) : await remoteFiles(image, options);
  return { env, engineVersion, ...files };
}

async function remoteFiles(image: EngineImage, { env, endpoint, report }: ReadEngineFactsOptions): Promise<EngineFiles> {
  const own = await readEngineFiles({ config: image.config && "none", ca: image.ca && "none" }, { env });
  const unused = [own.configPath, own.ca?.path].filter((path) => path !== undefined);
  if (unused.length > 0) {
    report?.({
      type: "warning",
      id: "remote-engine-config",
      message: `the Docker daemon at ${endpoint.host} is another machine: the engine doesn't get ${unused.join(" and ")}`,
      hint: "put the files on that machine and name them with config= and ca=",
    });
  }
  const named = (value: string | undefined) => (value === "none" ? undefined : value);
  const config = named(image.config);
  const ca = named(image.ca);
  return {
    ...(config !== undefined && { configPath: config }),
    ...(ca !== undefined && { ca: { path: ca, kind: /\.(crt|pem|cer)$/.test(ca) ? "file" : "folder" } as const }),
  };
}

function isLocal({ host }: DockerEndpoint): boolean {
  const address = parseDockerHost(host);
  return address.kind === "unix" || address.kind === "npipe" || (address.kind === "tcp" && isLoopback(address.hostname));
}
