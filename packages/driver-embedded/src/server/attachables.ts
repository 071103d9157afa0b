import {
  callUnary,
  CLIENT_METADATA_HEADER,
  Health,
  openHttp2Connection,
  parseClientMetadata,
  type EngineUpgrade,
  type Http2Connection,
} from "@anyrunner/protocol";

import { checkClientVersion } from "./client-version.ts";
import type { EngineService } from "./engine-service.ts";

const HEALTH_INTERVAL_MS = 5_000;
const HEALTH_TIMEOUT_MS = 30_000;

/** Turns the stream of a client around: from here on we are the gRPC client of what its machine offers (protocol 4.6). */
export async function serveAttachables(upgrade: EngineUpgrade, options: Pick<EngineService, "sessions">): Promise<void> {
  const metadata = parseClientMetadata(upgrade.headers.get(CLIENT_METADATA_HEADER));
  checkClientVersion(metadata);
  const { session, client } = options.sessions.enter(metadata);
  try {
    if (client.attachables !== undefined) {
      await upgrade.refuse(400, `session attachables for client "${metadata.clientId}" already exist`);
      return;
    }
    const connection = openHttp2Connection(await upgrade.accept(), { signal: session.signal });
    client.attach(connection);
    try {
      await watchHealth(connection);
    } finally {
      client.detach();
      connection.destroy();
    }
  } finally {
    options.sessions.leave(session, client);
  }
}

/** Until the connection is gone. One failed check is forgiven, a second one without five good ones between ends it. */
async function watchHealth(connection: Http2Connection): Promise<void> {
  let closed = false;
  let good = 0;
  let failedBefore = false;
  const check = async () => {
    try {
      await callUnary(connection, Health.check, { service: "" }, { timeoutMs: HEALTH_TIMEOUT_MS });
      if (++good >= 5) failedBefore = false;
    } catch (error) {
      if (closed) return;
      if (failedBefore) connection.destroy(error as Error);
      failedBefore = true;
      good = 0;
    }
  };
  const timer = setInterval(() => void check(), HEALTH_INTERVAL_MS);
  timer.unref();
  await connection.closed;
  closed = true;
  clearInterval(timer);
}
