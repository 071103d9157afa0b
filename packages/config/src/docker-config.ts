import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { userFolders, type Environment } from "./user-folders.ts";

/** The parts of Docker's config.json that say how to log in to registries. */
export interface DockerConfig {
  readonly file: string;
  readonly auths: Readonly<Record<string, DockerAuth>>;
  readonly credHelpers: Readonly<Record<string, string>>;
  readonly credsStore: string | undefined;
}

export interface DockerAuth {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

export interface RegistryCredentials {
  /** Empty when `secret` is an identity token. */
  readonly username: string;
  readonly secret: string;
}

/** `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`; `undefined` when there is none. Throws what reading or JSON.parse throws. */
export async function readDockerConfig(env: Environment): Promise<DockerConfig | undefined> {
  const file = dockerConfigFile(env);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
  return parseDockerConfig(text, file);
}

export function dockerConfigFile(env: Environment): string {
  return join(env["DOCKER_CONFIG"] || join(userFolders({ env }).home, ".docker"), "config.json");
}

/** Takes what is well-formed and leaves out the rest, as the docker CLI does. Throws only for broken JSON. */
export function parseDockerConfig(text: string, file: string): DockerConfig {
  const value = asRecord(text.trim() === "" ? {} : JSON.parse(text));
  const auths = Object.entries(asRecord(value["auths"])).map(([host, entry]): [string, DockerAuth] => {
    const fields = Object.entries(asRecord(entry)).filter(([, field]) => typeof field === "string");
    return [host, Object.fromEntries(fields)];
  });
  const helpers = Object.entries(asRecord(value["credHelpers"])).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  const store = value["credsStore"];
  return {
    file,
    auths: Object.fromEntries(auths),
    credHelpers: Object.fromEntries(helpers),
    credsStore: typeof store === "string" && store !== "" ? store : undefined,
  };
}

/** What an `auths` entry gives, if anything. An identity token wins, as in the docker CLI. */
export function decodeDockerAuth(entry: DockerAuth): RegistryCredentials | undefined {
  if (entry.identitytoken) return { username: "", secret: entry.identitytoken };
  if (entry.auth) {
    const decoded = Buffer.from(entry.auth, "base64").toString("utf8");
    const colon = decoded.indexOf(":");
    // Old versions of Docker padded the password with NUL.
    if (colon > 0) return { username: decoded.slice(0, colon), secret: decoded.slice(colon + 1).replace(/\0+$/, "") };
  }
  if (entry.username && entry.password) return { username: entry.username, secret: entry.password };
  return undefined;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
