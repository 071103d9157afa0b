import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

import { serveEngineStream, type EngineStream } from "@anyrunner/protocol";

import type { EngineSession } from "../session.ts";
import { createSessionApi } from "./session-api.ts";

/** Where a session is served, and who may use it. */
export interface ServeSessionOptions {
  /** Default: a new random token. */
  readonly token?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
}

/** A loopback port that SDKs use as their session (engine protocol 6.1, 6.2). */
export interface SessionServer {
  readonly port: number;
  readonly token: string;
  /** Cuts requests that are still running and closes the port. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves `session` on 127.0.0.1: HTTP/1.1 as SDKs speak it, and HTTP/2 with prior knowledge as the official CLI does when it
 * finds itself inside a session. Every request must carry the token as the user of Basic authentication.
 */
export async function serveSession(session: EngineSession, options: ServeSessionOptions = {}): Promise<SessionServer> {
  const token = options.token ?? randomUUID();
  const http = createSessionApi(session, token);
  const streams = new Set<EngineStream>();
  const server = createServer({ noDelay: true }, (socket: Socket) => {
    const stream = serveEngineStream(socket, { grpc: {}, http, upgrades: {} });
    streams.add(stream);
    void stream.closed.then(() => streams.delete(stream));
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    token,
    async close() {
      const closed = server.listening ? once(server, "close") : undefined;
      server.close();
      await Promise.all([...streams].map((stream) => stream.close({ graceMs: 0 })));
      await closed;
    },
  };
}
