import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";

import { RunnerError, type Reporter } from "@anyrunner/core";
import { isLoopback, parseDockerHost, type DockerEndpoint } from "@anyrunner/docker-endpoint";
import { engineConfigPaths, type EngineFacts, type EngineImage } from "@anyrunner/engine-container";

export interface ReadEngineFactsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly endpoint: DockerEndpoint;
  readonly engineVersion: string | undefined;
  readonly report?: Reporter | undefined;
}

/**
 * Looks at the files that a new engine gets: the user's engine.json and CA certificates, or those that the URL names. On another
 * machine's daemon only named paths are used, as that machine's. Fails with INVALID_OPTION for a named path that isn't there.
 */
export async function readEngineFacts(image: EngineImage, options: ReadEngineFactsOptions): Promise<EngineFacts> {
  const { env, engineVersion } = options;
  const files = isLocal(options.endpoint) ? await localFiles(image, env) : await remoteFiles(image, options);
  return { env, engineVersion, ...files };
}

type Files = Pick<EngineFacts, "configPath" | "configDigest" | "ca">;

async function localFiles(image: EngineImage, env: ReadEngineFactsOptions["env"]): Promise<Files> {
  const paths = engineConfigPaths({ env });
  const [config, ca] = await Promise.all([
    image.config === "none" ? undefined : readConfig(image.config ?? paths.engineJson, image.config !== undefined),
    image.ca === "none" ? undefined : findCa(image.ca ?? paths.caCertificates, image.ca !== undefined),
  ]);
  return { ...config, ...(ca !== undefined && { ca }) };
}

async function readConfig(path: string, named: boolean): Promise<Files | undefined> {
  try {
    const text = await readFile(path);
    return { configPath: path, configDigest: createHash("sha256").update(text).digest("hex").slice(0, 16) };
  } catch (error) {
    return absent("config", path, named, error);
  }
}

async function findCa(path: string, named: boolean): Promise<EngineFacts["ca"]> {
  try {
    return { path, kind: (await stat(path)).isDirectory() ? "folder" : "file" };
  } catch (error) {
    return absent("ca", path, named, error);
  }
}

function absent(parameter: string, path: string, named: boolean, error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (!named && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
  throw new RunnerError("INVALID_OPTION", `${path}, which the engine should get, can't be read (${code ?? "unknown"})`, {
    hint: named ? `correct the parameter "${parameter}"` : `make it readable, or write ${parameter}=none`,
    cause: error,
    driver: "docker",
    details: { parameter },
  });
}

async function remoteFiles(image: EngineImage, { env, endpoint, report }: ReadEngineFactsOptions): Promise<Files> {
  const own = await localFiles({ ...image, config: image.config && "none", ca: image.ca && "none" }, env);
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
