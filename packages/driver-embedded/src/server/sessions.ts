import type { ClientMetadata, Http2Connection } from "@anyrunner/protocol";

import { createInFlight } from "../plan/shared.ts";
import type { SessionParts } from "../schema/query-context.ts";
import { createFeed, type Feed } from "../telemetry/feed.ts";
import { createObjectRegistry } from "../values/object-registry.ts";

/** A client of a session, known by its id and its secret token. */
export interface Client {
  readonly metadata: ClientMetadata;
  readonly feed: Feed;
  /** The connection to its attachables. */
  attachables: Http2Connection | undefined;
  /** Resolves when attachables are there, again after they were lost. */
  readonly attached: () => Promise<Http2Connection>;
  attach(connection: Http2Connection): void;
  detach(): void;
  /** Requests and attachables that run now. The main client's session ends with the last of them. */
  active: number;
}

export interface Session extends SessionParts {
  readonly id: string;
  /** The first client that was seen. */
  readonly main: Client;
  readonly clients: Map<string, Client>;
  /** Aborted when the session is removed. */
  readonly signal: AbortSignal;
  /** Set by the main client's shutdown: no new queries. */
  closing: boolean;
}

export interface Sessions {
  /** The session and client that `metadata` names, made at first sight. Throws where the secret token is another one. */
  enter(metadata: ClientMetadata): { readonly session: Session; readonly client: Client };
  /** The same for a client that must exist already. */
  find(metadata: ClientMetadata): { readonly session: Session; readonly client: Client } | undefined;
  /** One request less; removes the session when the main client has none left. */
  leave(session: Session, client: Client): void;
  readonly size: number;
  close(): void;
}

export function createSessions(options: { readonly onRemoved: (session: Session) => void }): Sessions {
  const sessions = new Map<string, { readonly session: Session; readonly controller: AbortController }>();

  const remove = (id: string) => {
    const entry = sessions.get(id);
    if (entry === undefined) return;
    sessions.delete(id);
    entry.controller.abort(new Error(`session "${id}" removed`));
    for (const client of entry.session.clients.values()) {
      client.feed.end();
      client.attachables?.destroy();
    }
    options.onRemoved(entry.session);
  };

  const find = (metadata: ClientMetadata) => {
    const session = sessions.get(metadata.sessionId)?.session;
    const client = session?.clients.get(metadata.clientId);
    if (session === undefined || client === undefined) return undefined;
    if (client.metadata.clientSecretToken !== metadata.clientSecretToken)
      throw new Error(`client "${metadata.clientId}" already exists with different secret token`);
    return { session, client };
  };

  return {
    enter(metadata) {
      const known = find(metadata);
      if (known !== undefined) {
        known.client.active++;
        return known;
      }
      const client = createClient(metadata);
      client.active++;
      const session = sessions.get(metadata.sessionId)?.session;
      if (session !== undefined) {
        session.clients.set(metadata.clientId, client);
        return { session, client };
      }
      const controller = new AbortController();
      const created: Session = {
        id: metadata.sessionId,
        main: client,
        clients: new Map([[metadata.clientId, client]]),
        signal: controller.signal,
        closing: false,
        objects: createObjectRegistry(),
        calls: createInFlight(),
        secrets: new Map(),
        images: new Map(),
      };
      sessions.set(metadata.sessionId, { session: created, controller });
      return { session: created, client };
    },
    find,
    leave(session, client) {
      client.active--;
      if (client === session.main && client.active === 0) remove(session.id);
    },
    get size() {
      return sessions.size;
    },
    close() {
      for (const id of [...sessions.keys()]) remove(id);
    },
  };
}

function createClient(metadata: ClientMetadata): Client {
  let waiting = Promise.withResolvers<Http2Connection>();
  return {
    metadata,
    feed: createFeed(),
    attachables: undefined,
    active: 0,
    attached: () => waiting.promise,
    attach(connection) {
      this.attachables = connection;
      waiting.resolve(connection);
    },
    detach() {
      this.attachables = undefined;
      waiting = Promise.withResolvers();
    },
  };
}
