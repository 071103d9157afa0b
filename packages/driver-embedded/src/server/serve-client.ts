import type { Duplex } from "node:stream";

import { ENGINE_PACKAGE } from "@anyrunner/core/driver";
import {
  CLIENT_METADATA_HEADER,
  Control,
  parseClientMetadata,
  serveEngineStream,
  unaryHandler,
  type EngineHttpRequest,
  type EngineStream,
} from "@anyrunner/protocol";

import { ENGINE_VERSION } from "../version.ts";
import { serveAttachables } from "./attachables.ts";
import { checkClientVersion } from "./client-version.ts";
import { header } from "./header.ts";
import type { EngineService } from "./engine-service.ts";
import { serveQuery } from "./query-endpoint.ts";
import { serveTelemetry } from "./telemetry-endpoint.ts";

/** Serves one byte stream from a client the way an engine does (engine protocol 3 and 4). */
export function serveClient(stream: Duplex, options: EngineService): EngineStream {
  return serveEngineStream(stream, {
    grpc: {
      [Control.info.path]: unaryHandler(Control.info, () => ({
        buildkitVersion: { package: ENGINE_PACKAGE, version: ENGINE_VERSION, revision: options.name },
        systemInfo: { numCpu: options.cpus() },
      })),
      [Control.listWorkers.path]: unaryHandler(Control.listWorkers, () => ({ record: [] })),
    },
    http: (request) => serveHttp(request, options),
    upgrades: { "/sessionAttachables": (upgrade) => serveAttachables(upgrade, options) },
  });
}

async function serveHttp(request: EngineHttpRequest, options: EngineService): Promise<void> {
  const telemetry = /^\/v1\/(traces|logs|metrics)$/.exec(request.path)?.[1];
  if (telemetry !== undefined) return serveTelemetry(request, telemetry as "traces" | "logs" | "metrics", options.sessions);
  if (request.path === "/query") return serveQuery(request, options);
  const metadata = parseClientMetadata(header(request, CLIENT_METADATA_HEADER));
  checkClientVersion(metadata);
  const { session, client } = options.sessions.enter(metadata);
  try {
    request.body.resume();
    switch (request.path) {
      case "/init":
        request.respond(204).end();
        return;
      case "/shutdown":
        if (client === session.main) {
          session.closing = true;
          await options.settle();
          for (const each of session.clients.values()) each.feed.end();
        } else client.feed.end();
        request.respond(200, { "content-length": "0" }).end();
        return;
      default:
        request.respond(404, { "content-type": "text/plain; charset=utf-8" }).end("404 page not found\n");
    }
  } finally {
    options.sessions.leave(session, client);
  }
}
