import { createServer, type AddressInfo, type Server } from "node:net";
import type { Duplex } from "node:stream";

import { ENGINE_PACKAGE } from "@anyrunner/core";
import {
  CLIENT_METADATA_HEADER,
  Control,
  duplexPair,
  GrpcError,
  GrpcStatus,
  openHttp2Connection,
  serveEngineStream,
  unaryHandler,
  type EngineUpgrade,
} from "@anyrunner/protocol";

import { createAttachedClient } from "./attached-client.ts";
import { createDoubleSessions, type DoubleClient } from "./double-session.ts";
import { createFaultPlan, type EngineFault, type FaultPoint, type FaultTarget } from "./engine-fault.ts";
import type { AnswerQuery } from "./query-answer.ts";
import { serveSessionApi } from "./session-api.ts";
import { createTelemetryFeed, type DoubleTelemetryEvent } from "./telemetry-feed.ts";

/** What the double says of itself (Control/Info). */
export interface EngineDoubleInfo {
  /** Default `github.com/dagger/dagger`. */
  readonly package: string;
  /** Default v0.21.8. */
  readonly version: string;
  /** The engine's name; default `engine-double`. */
  readonly revision: string;
  /** 0 leaves the field out, as engines before 0.19.10 do. Default 2. */
  readonly numCpu: number;
}

/** What the double says, answers, and fails in. Without any it is an engine 0.21.8 that knows its version. */
export interface EngineDoubleOptions {
  /** What Info says; a function gets the number of the connection, from 0: an address behind which two engines stand. */
  readonly info?: Partial<EngineDoubleInfo> | ((connection: number) => Partial<EngineDoubleInfo>);
  /** Answers queries. Default: `{ version }`, and an error for the rest. */
  readonly answer?: AnswerQuery;
  /** Where it fails, and how. Default: nowhere. */
  readonly faults?: readonly EngineFault[];
  /** How long a query waits for its client to attach itself, in ms. Default 10,000, as the engine. */
  readonly attachWaitMs?: number;
}

/** Something that arrived at the double. */
export interface DoubleArrival {
  readonly at: FaultPoint | "init";
  /** Number of the connection, from 0. */
  readonly connection: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: string;
}

/**
 * An engine that isn't one: speaks the whole of the engine's protocol as the recordings have it, answers queries from a script, calls
 * the client back, and fails in every way that it is told to.
 */
export interface EngineDouble extends AsyncDisposable {
  /** Serves one stream, whatever carries it. */
  serve(stream: Duplex): void;
  /** A stream to the double inside this process. */
  dial(): Duplex;
  /** Listens on a Unix socket or on 127.0.0.1; gives the runner URL. May be called more than once. */
  listen(address?: { readonly path: string } | { readonly port: number }): Promise<string>;
  /** Everything that arrived, in order. */
  readonly arrivals: readonly DoubleArrival[];
  /** How often something arrived there. */
  count(at: DoubleArrival["at"]): number;
  /** The clients that have attached themselves, by their ids. */
  readonly clients: ReadonlyMap<string, DoubleClient>;
  /** Streams that are open now. */
  streamCount(): number;
  /** Replaces the faults, from now on. */
  setFaults(faults: readonly EngineFault[]): void;
  /** Sends it to every subscriber, also to those that come later. */
  pushTelemetry(event: DoubleTelemetryEvent): void;
  /** Destroys every stream and stops listening. */
  kill(): Promise<void>;
}

/** A double that serves nothing yet: give it streams with `serve`, take one with `dial`, or let it `listen`. Dispose of it, or `kill` it. */
export function createEngineDouble(options: EngineDoubleOptions = {}): EngineDouble {
  const streams = new Set<Duplex>();
  const servers = new Set<Server>();
  const arrivals: DoubleArrival[] = [];
  const plan = createFaultPlan(options.faults ?? []);
  const telemetry = createTelemetryFeed();
  const infoOf = (connection: number): EngineDoubleInfo => ({
    package: ENGINE_PACKAGE,
    version: "v0.21.8",
    revision: "engine-double",
    numCpu: 2,
    ...(typeof options.info === "function" ? options.info(connection) : options.info),
  });
  const sessions = createDoubleSessions(() => infoOf(0).version);
  let connections = 0;

  const kill = async () => {
    for (const stream of streams) stream.destroy();
    await Promise.all(
      [...servers].map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
          }),
      ),
    );
    servers.clear();
  };

  const serve = (stream: Duplex) => {
    const connection = connections++;
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
    stream.on("error", () => {});
    const target: FaultTarget = { stream, kill: () => void kill() };
    const arrive = (at: DoubleArrival["at"], more: Partial<DoubleArrival> = {}) => {
      arrivals.push({ at, connection, ...more });
    };
    const meet = (at: FaultPoint) => plan.meet(at, target);

    arrive("stream");
    void meet("stream").then(() => {
      if (stream.destroyed) return;
      serveEngineStream(stream, {
        grpc: { [Control.info.path]: controlInfo(() => infoOf(connection), arrive, meet) },
        http: serveSessionApi({
          sessions,
          telemetry,
          answer: options.answer ?? ((query) => answerVersion(query.query, infoOf(connection).version)),
          attachWaitMs: options.attachWaitMs ?? 10_000,
          meet,
          note: (at, request, body) => arrive(at, { headers: request.headers, body }),
        }),
        upgrades: { "/sessionAttachables": (upgrade) => attach(upgrade, arrive, meet) },
      });
    });
  };

  const attach = async (
    upgrade: EngineUpgrade,
    arrive: (at: DoubleArrival["at"], more?: Partial<DoubleArrival>) => void,
    meet: (at: FaultPoint) => ReturnType<typeof plan.meet>,
  ) => {
    const methods = upgrade.headers.getAll("x-docker-expose-session-grpc-method");
    arrive("upgrade", { headers: { [CLIENT_METADATA_HEADER]: upgrade.headers.get(CLIENT_METADATA_HEADER), methods } });
    const refusal = await meet("upgrade");
    if (refusal !== undefined && "status" in refusal) return upgrade.refuse(refusal.status, refusal.text);
    const client = sessions.admit(upgrade.headers.get(CLIENT_METADATA_HEADER));
    if (client.attachment !== undefined) return upgrade.refuse(400, `session attachables for client "${client.metadata.clientId}" already exist`);
    client.methods = methods.map((method) => method.toLowerCase());
    const http2 = openHttp2Connection(await upgrade.accept());
    const beforeCall = async () => {
      arrive("attached");
      await meet("attached");
    };
    client.attachment = { connection: http2, calls: createAttachedClient(http2, beforeCall) };
    client.settle("attached");
    await http2.closed;
    client.attachment = undefined;
    sessions.remove(client);
  };

  return {
    serve,
    dial() {
      const [near, far] = duplexPair();
      serve(far);
      return near;
    },
    async listen(address = { port: 0 }) {
      const server = createServer((socket) => serve(socket));
      servers.add(server);
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen("path" in address ? { path: address.path } : { host: "127.0.0.1", port: address.port }, resolve);
      });
      return "path" in address ? `unix://${address.path}` : `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    arrivals,
    count: (at) => arrivals.filter((arrival) => arrival.at === at).length,
    clients: sessions.clients,
    streamCount: () => streams.size,
    setFaults: (faults) => plan.plan(faults),
    pushTelemetry: (event) => telemetry.push(event),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

function controlInfo(
  info: () => EngineDoubleInfo,
  arrive: (at: "info") => void,
  meet: (at: FaultPoint) => ReturnType<ReturnType<typeof createFaultPlan>["meet"]>,
) {
  return unaryHandler(Control.info, async () => {
    arrive("info");
    const refusal = await meet("info");
    if (refusal !== undefined && "grpc" in refusal) throw new GrpcError(GrpcStatus[refusal.grpc], refusal.message);
    const { package: name, version, revision, numCpu } = info();
    return { buildkitVersion: { package: name, version, revision }, ...(numCpu === 0 ? {} : { systemInfo: { numCpu } }) };
  });
}

function answerVersion(query: string, version: string) {
  if (/^\s*(query\s*\w*\s*)?\{\s*version\s*\}\s*$/.test(query)) return { data: { version } };
  return { errors: [{ message: `the engine double has no answer for ${query.trim()}` }] };
}
