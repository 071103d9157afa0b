import { once } from "node:events";
import { connect, performServerHandshake, type ClientHttp2Session, type ServerHttp2Session } from "node:http2";

import { duplexPair } from "../duplex-pair.ts";
import { serveHttp2 } from "../grpc/server.ts";
import { openHttp2Connection, type Http2Connection } from "../http2/connection.ts";
import { forwardRequest, type UpstreamClaim } from "./forward-request.ts";

/** A client, forwarded requests, and as many upstream connections as they ask for. */
export interface TestRelay {
  readonly client: ClientHttp2Session;
  /** Upstream sessions, in the order in which they were dialled. */
  readonly upstreams: readonly ServerHttp2Session[];
  /** Claims that are not released. */
  claimCount(): number;
  close(): void;
}

/** `onUpstream` prepares each upstream session; a claim that can't use the last connection dials another. */
export async function createTestRelay(onUpstream: (session: ServerHttp2Session, index: number) => void): Promise<TestRelay> {
  const upstreams: ServerHttp2Session[] = [];
  const connections: Http2Connection[] = [];
  let claims = 0;

  const dial = async (): Promise<Http2Connection> => {
    const [near, far] = duplexPair();
    const session = performServerHandshake(far);
    session.on("error", () => {});
    upstreams.push(session);
    onUpstream(session, upstreams.length - 1);
    const connection = openHttp2Connection(near);
    await connection.ping();
    connections.push(connection);
    return connection;
  };
  const claim = async (): Promise<UpstreamClaim> => {
    const last = connections.at(-1);
    const connection = last === undefined || last.lost() !== undefined ? await dial() : last;
    claims += 1;
    return { open: (headers, options) => connection.openStream(headers, options), heard: () => {}, release: () => void (claims -= 1) };
  };

  const [near, far] = duplexPair();
  const front = serveHttp2(far, {}, (stream, headers, rawHeaders) => {
    void forwardRequest(stream, { headers, rawHeaders }, { claim, explain: (error) => ({ message: error?.message ?? "gone", retryable: true }) });
  });
  const client = connect("http://dagger", { createConnection: () => near });
  client.on("error", () => {});
  await once(client, "remoteSettings");
  return {
    client,
    upstreams,
    claimCount: () => claims,
    close() {
      client.destroy();
      front.destroy();
      for (const connection of connections) connection.destroy();
    },
  };
}
