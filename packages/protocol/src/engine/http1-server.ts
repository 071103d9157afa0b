import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { runHandler, splitTarget, type EngineHttpHandler } from "./http-handler.ts";

const MAX_HEADER_BYTES = 1024 * 1024;

export interface Http1Server {
  /** Resolves when no request is being answered. */
  idle(): Promise<void>;
}

/** Making a server costs more than a request, so one serves all streams of a handler. */
const servers = new WeakMap<EngineHttpHandler, Server>();
const answering = new WeakMap<Duplex, Set<Promise<void>>>();

/** Serves HTTP/1.1 on `stream`, request after request. There are no time-outs: a query may be silent for hours. */
export function serveHttp1(stream: Duplex, handler: EngineHttpHandler): Http1Server {
  const server = servers.get(handler) ?? createHandlerServer(handler);
  servers.set(handler, server);
  const running = new Set<Promise<void>>();
  answering.set(stream, running);
  server.emit("connection", stream);
  return {
    async idle() {
      await Promise.all(running);
    },
  };
}

function createHandlerServer(handler: EngineHttpHandler): Server {
  return createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, (request, response) => {
    const running = answering.get(request.socket);
    const answer = serveRequest(request, response, handler).finally(() => running?.delete(answer));
    running?.add(answer);
  });
}

async function serveRequest(request: IncomingMessage, response: ServerResponse, handler: EngineHttpHandler): Promise<void> {
  const controller = new AbortController();
  const over = new Promise<void>((resolve) => response.once("close", resolve));
  response.on("error", () => {});
  response.once("close", () => {
    if (!response.writableFinished) controller.abort(new Error("the client gave the request up"));
  });
  await runHandler(
    handler,
    { method: request.method ?? "GET", ...splitTarget(request.url ?? "/"), headers: request.headers, body: request, signal: controller.signal },
    {
      begin: (status, headers) => response.writeHead(status, headers),
      fail: () => response.destroy(),
    },
  );
  await over;
}
