/** Name of the header that every request to the engine carries, in lower case. */
export const CLIENT_METADATA_HEADER = "x-dagger-client-metadata";

/** Who the client is, as every request says it (engine/opts.go of the engine). */
export interface ClientMetadata {
  /** Unique per client, `[a-z0-9]` only: the engine makes a file name of it. */
  readonly clientId: string;
  /** Any secret; the same client must always show the same. */
  readonly clientSecretToken: string;
  readonly sessionId: string;
  /** Also selects the version of the API schema. */
  readonly clientVersion?: string | undefined;
  readonly clientHostname?: string | undefined;
  /** Stable per machine: the key of the engine's cache of this machine's files. Without it every upload starts cold. */
  readonly clientStableId?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly interactive?: boolean | undefined;
  readonly interactiveCommand?: readonly string[] | undefined;
  readonly upstreamCacheImportConfig?: readonly CacheConfig[] | undefined;
  readonly upstreamCacheExportConfig?: readonly CacheConfig[] | undefined;
  readonly cloudOrg?: string | undefined;
  readonly doNotTrack?: boolean | undefined;
  /** Path of the SSH agent's socket on the client. */
  readonly sshAuthSocketPath?: string | undefined;
  readonly allowedLlmModules?: readonly string[] | undefined;
  readonly eagerRuntime?: boolean | undefined;
  readonly extraModules?: readonly ExtraModule[] | undefined;
  readonly skipWorkspaceModules?: boolean | undefined;
  readonly workspace?: string | undefined;
  readonly loadWorkspaceModules?: boolean | undefined;
  readonly lockMode?: string | undefined;
  readonly singleQuery?: boolean | undefined;
}

/** Keys as the engine spells them, capitals included. */
export interface CacheConfig {
  readonly Type: string;
  readonly Attrs: Readonly<Record<string, string>>;
}

export interface ExtraModule {
  readonly ref: string;
  readonly name?: string | undefined;
  readonly entrypoint?: boolean | undefined;
}

const KEYS = {
  clientId: "client_id",
  clientSecretToken: "client_secret_token",
  sessionId: "session_id",
  clientVersion: "client_version",
  clientHostname: "client_hostname",
  clientStableId: "client_stable_id",
  labels: "labels",
  interactive: "interactive",
  interactiveCommand: "interactive_command",
  upstreamCacheImportConfig: "upstream_cache_import_config",
  upstreamCacheExportConfig: "upstream_cache_export_config",
  cloudOrg: "cloud_org",
  doNotTrack: "do_not_track",
  sshAuthSocketPath: "ssh_auth_socket_path",
  allowedLlmModules: "allowed_llm_modules",
  eagerRuntime: "eager_runtime",
  extraModules: "extra_modules",
  skipWorkspaceModules: "skip_workspace_modules",
  workspace: "workspace",
  loadWorkspaceModules: "load_workspace_modules",
  lockMode: "lock_mode",
  singleQuery: "single_query",
} as const satisfies Record<keyof ClientMetadata, string>;

/** The value of the header: padded base64 of a JSON object. */
export function clientMetadataHeader(metadata: ClientMetadata): string {
  const wire: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(metadata)) {
    if (value !== undefined && Object.hasOwn(KEYS, name)) wire[KEYS[name as keyof ClientMetadata]] = value;
  }
  return Buffer.from(JSON.stringify(wire), "utf8").toString("base64");
}

/**
 * Reads the header as the engine does: unknown keys are ignored, null counts as absent. Throws with the engine's own words where
 * the header is missing, can't be decoded, or lacks an id or the secret.
 */
export function parseClientMetadata(header: string | undefined): ClientMetadata {
  const wire = decode(header);
  const metadata: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(KEYS)) {
    const value = wire[key];
    if (value !== undefined && value !== null) metadata[name] = value;
  }
  for (const [name, label] of REQUIRED) {
    const value = metadata[name];
    if (typeof value !== "string" || value === "") throw new Error(`${label} is required`);
  }
  return metadata as unknown as ClientMetadata;
}

const REQUIRED = [
  ["sessionId", "session ID"],
  ["clientId", "client ID"],
  ["clientSecretToken", "client secret token"],
] as const;

function decode(header: string | undefined): Record<string, unknown> {
  if (header === undefined || header === "") throw new Error("failed to get client metadata: missing header X-Dagger-Client-Metadata");
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(header, "base64").toString("utf8"));
  } catch (cause) {
    throw new Error("failed to get client metadata: not base64 of JSON", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("failed to get client metadata: not a JSON object");
  return value as Record<string, unknown>;
}
