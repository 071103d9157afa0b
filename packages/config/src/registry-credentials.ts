import type { Reporter } from "@anyrunner/core";

import { askCredentialHelper } from "./credential-helper.ts";
import { decodeDockerAuth, dockerConfigFile, readDockerConfig, type DockerConfig, type RegistryCredentials } from "./docker-config.ts";
import type { Environment } from "./user-folders.ts";

export interface RegistryCredentialsOptions {
  /** Host as used for requests: `registry-1.docker.io`, `ghcr.io`, `localhost:5000`. */
  readonly host: string;
  readonly env: Environment;
  readonly signal?: AbortSignal | undefined;
  readonly report?: Reporter | undefined;
}

const HUB_HOSTS = new Set(["registry-1.docker.io", "index.docker.io", "docker.io"]);
/** The key of Docker Hub in Docker's configuration (protocol 5.7). */
const HUB_KEY = "https://index.docker.io/v1/";

/**
 * The login for a registry as the docker CLI would use it: `credHelpers` of that host, else `credsStore`, else `auths`.
 * `undefined` means anonymous. What can't be read or run is a warning, never a failure, except ABORTED.
 */
export async function registryCredentials({ host, env, signal, report }: RegistryCredentialsOptions): Promise<RegistryCredentials | undefined> {
  let config: DockerConfig | undefined;
  try {
    config = await readDockerConfig(env);
  } catch (error) {
    const what = error instanceof SyntaxError ? "is no JSON" : `can't be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`;
    report?.({
      type: "warning",
      id: "docker-config",
      message: `${dockerConfigFile(env)} ${what}; registries are used without a login`,
      hint: "correct the file",
    });
  }
  if (config === undefined) return undefined;
  const keys = keysOf(host);
  const helper = lookUp(config.credHelpers, keys)?.value ?? config.credsStore;
  if (helper !== undefined) {
    // Helpers compare the text, so ask for the key under which the login was stored.
    const server = lookUp(config.auths, keys)?.key ?? keys[0] ?? host;
    const found = await askCredentialHelper({ helper, server, env, signal, report });
    if (found !== undefined) return found;
  }
  const entry = lookUp(config.auths, keys)?.value;
  return entry === undefined ? undefined : decodeDockerAuth(entry);
}

function keysOf(host: string): readonly string[] {
  const plain = hostOf(host);
  return HUB_HOSTS.has(plain) ? [HUB_KEY, ...HUB_HOSTS] : [plain];
}

/** The exact key, else one that differs only by scheme or path, as `https://ghcr.io/v1/` does. */
function lookUp<T>(entries: Readonly<Record<string, T>>, keys: readonly string[]): { readonly key: string; readonly value: T } | undefined {
  for (const key of keys) {
    const value = Object.hasOwn(entries, key) ? entries[key] : undefined;
    if (value !== undefined) return { key, value };
  }
  const hosts = new Set(keys.map(hostOf));
  for (const [key, value] of Object.entries(entries)) {
    if (hosts.has(hostOf(key))) return { key, value };
  }
  return undefined;
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").split("/")[0] ?? key;
}
