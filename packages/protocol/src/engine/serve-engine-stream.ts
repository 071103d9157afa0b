import type { Duplex } from "node:stream";

import { withinBudget } from "@anyrunner/core";

import { isGrpc, serveHttp2, type GrpcServer } from "../grpc/server.ts";
import { serveGrpcCall, type GrpcRoutes } from "../grpc/serve-call.ts";
import { headLength, parseRequestHead } from "../http1/message-head.ts";
import { readAhead, StreamEndedError } from "../http1/read-ahead.ts";
import { isPreface, PREFACE } from "../http2/preface.ts";
import { splitTarget, type EngineHttpHandler } from "./http-handler.ts";
import { serveHttp2Request } from "./http2-request.ts";
import { serveUpgrade, type EngineUpgradeHandler } from "./upgrade.ts";

const HEAD_LIMIT_BYTES = 1024 * 1024;

export interface EngineStreamHandlers {
  readonly grpc: GrpcRoutes;
  /** Every request that is neither gRPC nor an upgrade. */
  readonly http: EngineHttpHandler;
  /** Handlers of HTTP/1.1 upgrades by path. */
  readonly upgrades: Readonly<Record<string, EngineUpgradeHandler>>;
}

export interface EngineStream {
  /** Resolves once, when the stream is gone; with the error if it broke. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Lets what is running end for `graceMs` (default 1,000), then destroys the stream. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * The engine's end of one byte stream, whatever the client speaks on it: HTTP/2 with prior knowledge, gRPC and other requests mixed,
 * or HTTP/1.1 with the upgrade to a session.
 */
export function serveEngineStream(stream: Duplex, handlers: EngineStreamHandlers): EngineStream {
  let failure: Error | undefined;
  let http2: GrpcServer | undefined;
  let idle: () => Promise<void> = async () => {};

  stream.on("error", (error) => {
    failure ??= error;
  });
  const closed = new Promise<Error | undefined>((resolve) => stream.once("close", () => resolve(failure)));
  const started = start().catch((error: unknown) => {
    // A client that leaves without a word breaks nothing.
    if (!(error instanceof StreamEndedError && error.received.length === 0)) failure ??= error as Error;
    stream.destroy();
  });

  return {
    closed,
    async close({ graceMs = 1_000 } = {}) {
      await Promise.race([started, closed]);
      if (http2 !== undefined) await http2.close({ graceMs });
      else await withinBudget(graceMs, Promise.race([idle(), closed]));
      stream.destroy();
      await closed;
    },
  };

  async function start(): Promise<void> {
    const first = await readAhead(stream, (received) => (isPreface(received) ? PREFACE.length : headLength(received)), { limitBytes: HEAD_LIMIT_BYTES });
    if (isPreface(first)) {
      http2 = serveHttp2(stream, {}, (http2Stream, headers, rawHeaders) => {
        if (isGrpc(headers)) serveGrpcCall(http2Stream, String(headers[":path"]), rawHeaders, handlers.grpc);
        else serveHttp2Request(http2Stream, headers, handlers.http);
      });
      void http2.closed.then((error) => {
        failure ??= error;
        stream.destroy();
      });
      return;
    }
    const request = parseRequestHead(first);
    const path = request === undefined ? "" : splitTarget(request.target).path;
    const upgrade = Object.hasOwn(handlers.upgrades, path) ? handlers.upgrades[path] : undefined;
    if (request === undefined || upgrade === undefined) {
      const { serveHttp1 } = await import("./http1-server.ts");
      idle = serveHttp1(stream, handlers.http).idle;
      return;
    }
    await readAhead(stream, () => first.length, { limitBytes: HEAD_LIMIT_BYTES, consume: true });
    const running = serveUpgrade(stream, request.headers, upgrade).catch((error: unknown) => {
      failure ??= error as Error;
      stream.destroy();
    });
    idle = () => running;
  }
}
