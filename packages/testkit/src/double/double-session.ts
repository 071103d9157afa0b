import { compareEngineVersions, minimumClientVersion, normalizeEngineVersion } from "@anyrunner/core";
import { parseClientMetadata, type ClientMetadata, type Http2Connection } from "@anyrunner/protocol";

import type { AttachedClient } from "./attached-client.ts";

/** What the engine knows of one client. */
export interface DoubleClient {
  readonly metadata: ClientMetadata;
  /** Methods that the client said it serves, in lower case. */
  methods: readonly string[];
  attachment: { readonly connection: Http2Connection; readonly calls: AttachedClient } | undefined;
  /** The workspace detection of the first query; its failure sticks. */
  workspace: Promise<void> | undefined;
  closing: boolean;
  /** Resolves when the client has attached itself. */
  readonly attached: Promise<void>;
  /** Resolves when the client has shut its session down. */
  readonly ended: Promise<void>;
  settle(what: "attached" | "ended"): void;
}

export interface DoubleSessions {
  /** The client of a request's metadata, made when it is new. Throws with the engine's words when it is refused. */
  admit(header: string | undefined): DoubleClient;
  /** The same for the telemetry paths, which make no client. */
  find(header: string | undefined): DoubleClient;
  remove(client: DoubleClient): void;
  readonly clients: ReadonlyMap<string, DoubleClient>;
}

/** The engine's rules for who may speak (engine protocol 3.3, 4.1-4.3), with its own texts. */
export function createDoubleSessions(engineVersion: () => string): DoubleSessions {
  const clients = new Map<string, DoubleClient>();

  const check = (header: string | undefined): ClientMetadata => {
    const metadata = parseClientMetadata(header);
    const { clientVersion = "" } = metadata;
    const minimum = minimumClientVersion(engineVersion());
    if (clientVersion !== "" && minimum !== undefined && compareEngineVersions(normalizeEngineVersion(clientVersion), minimum) < 0) {
      throw new Error(`incompatible client version ${normalizeEngineVersion(clientVersion)}`);
    }
    return metadata;
  };

  const known = (metadata: ClientMetadata): DoubleClient | undefined => {
    const client = clients.get(metadata.clientId);
    if (client !== undefined && client.metadata.clientSecretToken !== metadata.clientSecretToken) {
      throw new Error(`client "${metadata.clientId}" already exists with different secret token`);
    }
    return client;
  };

  return {
    clients,
    admit(header) {
      const metadata = check(header);
      const client = known(metadata) ?? createClient(metadata);
      clients.set(metadata.clientId, client);
      return client;
    },
    find(header) {
      const metadata = check(header);
      const client = known(metadata);
      if (client === undefined) throw new Error(`get client: client "${metadata.clientId}" not found`);
      return client;
    },
    remove(client) {
      clients.delete(client.metadata.clientId);
      client.settle("ended");
    },
  };
}

function createClient(metadata: ClientMetadata): DoubleClient {
  const resolvers: Record<string, () => void> = {};
  const happens = (what: string) => new Promise<void>((resolve) => (resolvers[what] = resolve));
  return {
    metadata,
    methods: [],
    attachment: undefined,
    workspace: undefined,
    closing: false,
    attached: happens("attached"),
    ended: happens("ended"),
    settle: (what) => resolvers[what]?.(),
  };
}
