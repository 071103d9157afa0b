import { randomUUID, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

import type { EngineSession } from "./session.ts";

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

/** Names that belong to one connection and must not travel on (RFC 9113, 8.2.2), and what the session sets itself. */
const NOT_FORWARDED = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host", "authorization", "te", "x-dagger-client-metadata"]);

/** Serves `session` on 127.0.0.1 over HTTP/1.1. Every request must carry the token as the user of Basic authentication. */
export async function serveSession(session: EngineSession, options: ServeSessionOptions = {}): Promise<SessionServer> {
  const token = options.token ?? randomUUID();
  const server = createServer({ headersTimeout: 30_000, requestTimeout: 0, keepAliveTimeout: 0, noDelay: true }, (request, response) => {
    if (!isAuthorized(request.headers.authorization, token)) {
      request.resume();
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="Access to the Dagger engine session"' }).end("unauthorized\n");
      return;
    }
    void forward(session, request, response);
  });
  server.timeout = 0;
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    token,
    async close() {
      const closed = server.listening ? once(server, "close") : undefined;
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function forward(session: EngineSession, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableEnded) gone.abort();
  });
  try {
    const answer = await session.request({
      method: request.method,
      // The official session drops the query string as well; the engine has no use for it.
      path: (request.url ?? "/").split("?")[0] ?? "/",
      headers: forwarded(request.headers),
      body: hasBody(request) ? request : undefined,
      signal: gone.signal,
    });
    response.writeHead(answer.status, forwarded(answer.headers));
    response.flushHeaders();
    await pipeline(answer.body, response);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(502, { "Content-Type": "text/plain; charset=utf-8" }).end(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

function forwarded(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":") || NOT_FORWARDED.has(name)) continue;
    result[name] = typeof value === "string" ? value : value.join(", ");
  }
  return result;
}

function isAuthorized(header: string | undefined, token: string): boolean {
  const match = /^basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(header ?? "");
  if (match?.[1] === undefined) return false;
  const user = Buffer.from(match[1], "base64").toString("utf8").split(":")[0] ?? "";
  const given = Buffer.from(user);
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
