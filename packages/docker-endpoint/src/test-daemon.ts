import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { DockerEndpoint } from "./resolve-endpoint.ts";

/** A daemon that does what the real one can't be made to do. Knows no container: tests give its routes. */
export interface TestDaemon extends AsyncDisposable {
  readonly endpoint: DockerEndpoint;
  /** `METHOD /path` of everything that was asked, in order. */
  readonly requests: readonly string[];
  /** Connections that were ever made, and those that are open. */
  readonly accepted: () => number;
  readonly open: () => number;
  /** Cuts everything. */
  kill(): void;
}

export interface TestDaemonOptions {
  /** What the ping says; `undefined`: nothing, as before 1.25. Default 1.41. */
  readonly ping?: string | undefined;
  /** What `/version` says. Default: the ping's. */
  readonly versions?: { readonly ApiVersion?: string; readonly MinAPIVersion?: string } | undefined;
  /** By `METHOD /path`, without the version. */
  readonly routes?: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> | undefined;
  /** Gets upgraded connections: the request, the raw socket, and what came behind the request. */
  readonly onUpgrade?: ((request: IncomingMessage, socket: Socket) => void) | undefined;
  /** On TCP with TLS and client certificates of the fixtures. Default: a Unix socket. */
  readonly tls?: boolean | undefined;
}

export const tlsFixture = (name: string): string => join(import.meta.dirname, "..", "test", "fixtures", "tls", name);

export async function startTestDaemon(options: TestDaemonOptions = {}): Promise<TestDaemon> {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let accepted = 0;
  const ping = "ping" in options ? options.ping : "1.41";

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    requests.push(`${request.method} ${request.url}`);
    const path = (request.url ?? "").replace(/^\/v[\d.]+/, "").replace(/\?.*/, "");
    const route = options.routes?.[`${request.method} ${path}`];
    if (route !== undefined) return route(request, response);
    if (path === "/_ping") return void response.writeHead(200, ping === undefined ? {} : { "Api-Version": ping }).end("OK");
    if (path === "/version") return void response.end(JSON.stringify(options.versions ?? { ApiVersion: ping }));
    response.writeHead(404).end(JSON.stringify({ message: "page not found" }));
  };
  const server = options.tls
    ? createTlsServer(
        {
          cert: await readFile(tlsFixture("server.pem")),
          key: await readFile(tlsFixture("server-key.pem")),
          ca: await readFile(tlsFixture("ca.pem")),
          requestCert: true,
          rejectUnauthorized: true,
        },
        answer,
      )
    : createServer(answer);
  server.on(options.tls ? "secureConnection" : "connection", (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
    requests.push(`${request.method} ${request.url}`);
    options.onUpgrade?.(request, socket);
  });
  await new Promise<void>((resolve) => (options.tls ? server.listen(0, "127.0.0.1", resolve) : server.listen(join(folder, "docker.sock"), resolve)));

  const kill = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  const host = options.tls ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${join(folder, "docker.sock")}`;
  return {
    endpoint: {
      host,
      from: { kind: "environment", name: "DOCKER_HOST" },
      ...(options.tls && {
        tls: {
          caPath: tlsFixture("ca.pem"),
          certPath: tlsFixture("cert.pem"),
          keyPath: tlsFixture("key.pem"),
          skipVerify: false,
          from: { kind: "environment", name: "DOCKER_TLS_VERIFY" },
        },
      }),
    },
    requests,
    accepted: () => accepted,
    open: () => sockets.size,
    kill,
    async [Symbol.asyncDispose]() {
      kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A frame of Docker's multiplexed stream. */
export function frame(kind: number, payload: Uint8Array | string): Buffer {
  const bytes = Buffer.from(payload);
  const header = Buffer.from([kind, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

/** What dockerd 20.10 answers to a request for a raw stream. */
export const UPGRADED = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
