import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";

import { WebSocketServer, type WebSocket } from "ws";

import { answer, change, missingPod, type ChangedObject, type FakeObjects } from "./fake-objects.fixture.ts";
import type { Pod } from "./pod.ts";

export interface FakeExec {
  readonly socket: WebSocket;
  readonly protocol: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  /** A frame of standard output. */
  stdout(content: Buffer | string): void;
  /** The status, and the end. */
  exit(code: number): void;
  fail(message: string, code?: number): void;
}

export interface FakeApiServer extends FakeObjects, AsyncDisposable {
  /** A kubeconfig that names it, with the token `secret-token`. */
  readonly kubeconfig: string;
  readonly folder: string;
  readonly port: number;
  /** What each request was, in order: `GET /path`. */
  readonly requests: string[];
  readonly authorizations: (string | undefined)[];
  /** Subprotocols that it knows, best first. */
  protocols: readonly string[];
  /** Refuses: a status and a body instead of an answer. `undefined`: answers. */
  refuse: (request: IncomingMessage) => { readonly status: number; readonly body: string } | undefined;
  /** Serves an exec; the default echoes and ends with 0 when the input ends. */
  exec: (exec: FakeExec) => void;
  /** Live connections to it. */
  connections(): number;
}

const V5 = "v5.channel.k8s.io";
export const V4 = "v4.channel.k8s.io";

/** An API server for tests: pods from a map, exec by a function, faults on demand. */
export async function startFakeApiServer(): Promise<FakeApiServer> {
  const folder = mkdtempSync(join(tmpdir(), "anyrunner-kube-"));
  const files = makeCertificate(folder);
  const server = createServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) });
  const sockets = new Set<Duplex>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => fake.protocols.find((protocol) => offered.has(protocol)) ?? false });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(folder, "config");
  writeFileSync(kubeconfig, kubeconfigText(port, files.cert));

  const fake: FakeApiServer = {
    kubeconfig,
    folder,
    port,
    pods: new Map(),
    objects: new Map(),
    log: "a line of the log\n",
    previousLog: "",
    onChange: () => undefined,
    requests: [],
    authorizations: [],
    protocols: [V5, V4],
    refuse: () => undefined,
    exec: echo,
    connections: () => sockets.size,
    async [Symbol.asyncDispose]() {
      webSockets.close();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
      rmSync(folder, { recursive: true, force: true });
    },
  };

  const note = (request: IncomingMessage) => {
    fake.requests.push(`${request.method} ${request.url}`);
    fake.authorizations.push(request.headers.authorization);
  };
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    note(request);
    void readBody(request).then((sent) => {
      const url = new URL(request.url ?? "/", "https://x");
      const { status, body } = fake.refuse(request) ?? (request.method === "GET" ? answer(fake, url) : change(fake, request.method ?? "", url, sent));
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    });
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    note(request);
    const url = new URL(request.url ?? "/", "https://x");
    const refused = fake.refuse(request) ?? missingPod(fake, url);
    if (refused !== undefined) {
      socket.end(
        `HTTP/1.1 ${refused.status} x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(refused.body)}\r\nconnection: close\r\n\r\n${refused.body}`,
      );
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("error", () => undefined);
      // Real servers begin so.
      webSocket.send(Buffer.from([1]));
      const send = (channel: number, content: Buffer) => webSocket.send(Buffer.concat([Buffer.from([channel]), content]));
      const end = (status: object) => {
        send(3, Buffer.from(JSON.stringify({ kind: "Status", ...status })));
        webSocket.close(1000);
      };
      fake.exec({
        socket: webSocket,
        protocol: webSocket.protocol,
        url,
        authorization: request.headers.authorization,
        stdout: (content) => send(1, Buffer.from(content)),
        exit: (code) =>
          end(
            code === 0
              ? { status: "Success" }
              : {
                  status: "Failure",
                  reason: "NonZeroExitCode",
                  message: "words that change",
                  details: { causes: [{ reason: "ExitCode", message: String(code) }] },
                },
          ),
        fail: (message, code = 500) => end({ status: "Failure", reason: "InternalError", message, code }),
      });
    });
  });
  return fake;
}

/** The frames of standard input of an exec; `undefined` for its end under v5. */
export function onStdin(exec: FakeExec, handle: (content: Buffer | undefined) => void): void {
  exec.socket.on("message", (data) => {
    const frame = data as Buffer;
    if (frame[0] === 0) handle(frame.subarray(1));
    else if (frame[0] === 255) handle(undefined);
  });
}

export function runningPod(
  name: string,
  changes: { readonly labels?: Record<string, string>; readonly node?: string; readonly containers?: readonly string[] } = {},
): Pod {
  const containers = changes.containers ?? ["engine"];
  return {
    metadata: { name, namespace: "builds", uid: `uid-${name}`, labels: changes.labels ?? {} },
    spec: { nodeName: changes.node ?? "n1", containers: containers.map((container) => ({ name: container, image: "engine:1" })) },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: containers.map((container) => ({
        name: container,
        image: "engine:1",
        ready: true,
        restartCount: 0,
        state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
      })),
    },
  };
}

function echo(exec: FakeExec): void {
  onStdin(exec, (content) => (content === undefined ? exec.exit(0) : exec.stdout(content)));
}

async function readBody(request: IncomingMessage): Promise<ChangedObject> {
  let text = "";
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString();
  return text === "" ? {} : (JSON.parse(text) as ChangedObject);
}

function makeCertificate(folder: string): { readonly cert: string; readonly key: string } {
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-keyout",
      key,
      "-out",
      cert,
      "-days",
      "2",
      "-subj",
      "/CN=fake",
      "-addext",
      "subjectAltName=IP:127.0.0.1",
    ],
    { stdio: "ignore" },
  );
  return { cert, key };
}

function kubeconfigText(port: number, certificate: string): string {
  return JSON.stringify({
    clusters: [
      { name: "fake", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": certificate } },
      { name: "stranger", cluster: { server: `https://127.0.0.1:${port}` } },
      { name: "nobody", cluster: { server: "https://127.0.0.1:1" } },
    ],
    users: [{ name: "me", user: { token: "secret-token" } }],
    contexts: [
      { name: "fake", context: { cluster: "fake", user: "me", namespace: "builds" } },
      { name: "stranger", context: { cluster: "stranger", user: "me" } },
      { name: "nobody", context: { cluster: "nobody", user: "me" } },
    ],
    "current-context": "fake",
  });
}
