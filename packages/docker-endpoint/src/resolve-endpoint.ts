import { access } from "node:fs/promises";
import { join } from "node:path";

import { RunnerError, type JsonObject, type Provenance } from "@anyrunner/core";

import { dockerConfigFolder, readCurrentContext, readDockerContext } from "./docker-config.ts";
import { defaultDockerHost, formatDockerAddress, parseDockerHost } from "./docker-host.ts";

/** Where a Docker API is, as plain JSON: paths of credentials, never credentials. */
export interface DockerEndpoint extends JsonObject {
  /** Complete: `unix:///var/run/docker.sock`, `tcp://build.example:2376`, `npipe:////./pipe/docker_engine`, `ssh://user@host`. */
  readonly host: string;
  /** What said so. */
  readonly from: JsonProvenance;
  /** The Docker context that it belongs to; absent for the default one. */
  readonly context?: string | undefined;
  /** Absent for sockets and for plain TCP. */
  readonly tls?: DockerTls | undefined;
  /** Fixed by `DOCKER_API_VERSION`; absent: negotiated. */
  readonly apiVersion?: string | undefined;
}

export interface DockerTls extends JsonObject {
  readonly caPath?: string | undefined;
  readonly certPath?: string | undefined;
  readonly keyPath?: string | undefined;
  /** The daemon's certificate is not checked. */
  readonly skipVerify: boolean;
  readonly from: JsonProvenance;
}

/** `Provenance` as a type that is JSON to the compiler, too. */
export type JsonProvenance = Pick<Provenance, keyof Provenance>;

export interface ResolveDockerEndpointOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A Docker host that was given explicitly; excludes `context`. */
  readonly host?: string | undefined;
  /** A context that was given explicitly. */
  readonly context?: string | undefined;
  /** What gave `host` or `context`. Default: flag `host` or `context`. */
  readonly from?: Provenance | undefined;
  /** Default: this machine's. */
  readonly platform?: NodeJS.Platform | undefined;
}

/**
 * Finds the Docker API as the docker CLI does: the explicit context or host, `DOCKER_HOST`, `DOCKER_CONTEXT`, `currentContext`
 * of config.json, the default socket. TLS comes from the context, or from `DOCKER_TLS_VERIFY`, `DOCKER_TLS` and
 * `DOCKER_CERT_PATH` for a host outside a context. Reads files, dials nothing. Fails with INVALID_CONFIG, PERMISSION_DENIED.
 */
export async function resolveDockerEndpoint(options: ResolveDockerEndpointOptions): Promise<DockerEndpoint> {
  const { env } = options;
  if (options.host && options.context) {
    throw new RunnerError("INVALID_CONFIG", "a Docker host and a Docker context are given, which exclude each other", { hint: "leave one of them away" });
  }
  const folder = dockerConfigFolder(env);
  const { name, from } = await chooseContext(options, folder);
  const pinned = env["DOCKER_API_VERSION"] ? { apiVersion: env["DOCKER_API_VERSION"].replace(/^v/, "") } : {};
  const endpoint = name === undefined ? await defaultEndpoint(options, folder) : await contextEndpoint(folder, name, from);
  return { ...endpoint, ...pinned };
}

/** The order of docker/cli `resolveContextName`. No name: the default context, made of flags and environment. */
async function chooseContext(
  options: ResolveDockerEndpointOptions,
  folder: string,
): Promise<{ readonly name: string | undefined; readonly from: JsonProvenance }> {
  const { env } = options;
  const named = (name: string, from: JsonProvenance) => ({ name: name === "default" ? undefined : name, from });
  if (options.context) return named(options.context, explicit(options, "context"));
  const none: JsonProvenance = { kind: "default", name: "context" };
  if (options.host || env["DOCKER_HOST"]) return { name: undefined, from: none };
  if (env["DOCKER_CONTEXT"]) return named(env["DOCKER_CONTEXT"], { kind: "environment", name: "DOCKER_CONTEXT" });
  const current = await readCurrentContext(folder);
  return current === undefined ? { name: undefined, from: none } : named(current, { kind: "user", name: join(folder, "config.json") });
}

async function contextEndpoint(folder: string, name: string, from: JsonProvenance): Promise<DockerEndpoint> {
  const { host, skipTlsVerify, caPath, certPath, keyPath } = await readDockerContext(folder, name);
  const address = parseDockerHost(host);
  const endpoint: DockerEndpoint = { host: formatDockerAddress(address), from, context: name };
  const wantsTls = skipTlsVerify || caPath !== undefined || certPath !== undefined || keyPath !== undefined;
  if (address.kind !== "tcp" || !wantsTls) return endpoint;
  return { ...endpoint, tls: { ...withoutUndefined({ caPath, certPath, keyPath }), skipVerify: skipTlsVerify, from } };
}

async function defaultEndpoint(options: ResolveDockerEndpointOptions, folder: string): Promise<DockerEndpoint> {
  const { env, platform = process.platform } = options;
  const tls = await environmentTls(env, folder);
  const host = options.host || env["DOCKER_HOST"] || defaultDockerHost({ platform, tls: tls !== undefined });
  const address = parseDockerHost(host);
  const endpoint: DockerEndpoint = { host: formatDockerAddress(address), from: hostProvenance(options, tls) };
  return address.kind === "tcp" && tls !== undefined ? { ...endpoint, tls } : endpoint;
}

function hostProvenance(options: ResolveDockerEndpointOptions, tls: DockerTls | undefined): JsonProvenance {
  if (options.host) return explicit(options, "host");
  if (options.env["DOCKER_HOST"]) return { kind: "environment", name: "DOCKER_HOST" };
  return tls === undefined ? { kind: "default", name: "socket" } : tls.from;
}

function explicit(options: ResolveDockerEndpointOptions, name: string): JsonProvenance {
  return options.from === undefined ? { kind: "flag", name } : { kind: options.from.kind, name: options.from.name };
}

/** `DOCKER_TLS_VERIFY` checks the daemon, `DOCKER_TLS` alone does not; being non-empty counts, whatever the value (docker/cli cli/flags/options.go). */
async function environmentTls(env: ResolveDockerEndpointOptions["env"], folder: string): Promise<DockerTls | undefined> {
  const variable = ["DOCKER_TLS_VERIFY", "DOCKER_TLS"].find((name) => env[name]);
  if (variable === undefined) return undefined;
  const certFolder = env["DOCKER_CERT_PATH"] || folder;
  const existing = async (base: string) => ((await exists(join(certFolder, base))) ? join(certFolder, base) : undefined);
  return {
    caPath: join(certFolder, "ca.pem"),
    ...withoutUndefined({ certPath: await existing("cert.pem"), keyPath: await existing("key.pem") }),
    skipVerify: variable === "DOCKER_TLS",
    from: { kind: "environment", name: variable },
  };
}

function withoutUndefined<T extends Record<string, string | undefined>>(values: T): Partial<Record<keyof T, string>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Record<keyof T, string>>;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
