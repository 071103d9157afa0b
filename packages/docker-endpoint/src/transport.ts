import { readFile } from "node:fs/promises";
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import type { Socket } from "node:net";
import { pipeline, type Duplex, type Readable } from "node:stream";
import type { ConnectionOptions } from "node:tls";

import { abortedError, RunnerError, throwIfAborted } from "@anyrunner/core";

import type { DialDockerSsh } from "./dial-ssh.ts";
import { dialRequest, findDialler, useDialler } from "./dialler.ts";
import { dockerTransportError } from "./docker-error.ts";
import { parseDockerHost, type DockerAddress } from "./docker-host.ts";
import type { DockerEndpoint, DockerTls } from "./resolve-endpoint.ts";

/** One HTTP exchange after the other on kept-alive connections to one daemon. */
export interface DockerTransport {
  /** Sends one request; the path is final. Fails with what `dockerTransportError` gives, TIMEOUT for a slow dial, ABORTED. */
  exchange(request: TransportRequest): Promise<TransportResponse>;
  close(): void;
}

export interface TransportOptions {
  readonly connectBudgetMs: number;
  /** Says which proxy there is. Default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Default: the system's ssh. */
  readonly dialSsh?: DialDockerSsh | undefined;
}

export interface TransportRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Readable | undefined;
  /** Asks for `Upgrade: tcp`. */
  readonly upgrade?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type TransportResponse =
  | { readonly kind: "response"; readonly status: number; readonly headers: IncomingMessage["headers"]; readonly body: IncomingMessage }
  /** The daemon switched protocols; bytes that came behind its answer are back in the socket. */
  | { readonly kind: "upgraded"; readonly socket: Socket };

/** Makes the transport for an endpoint; dials nothing yet. */
export function createTransport(endpoint: DockerEndpoint, options: TransportOptions): DockerTransport {
  const address = parseDockerHost(endpoint.host);
  let dial: Promise<RequestOptions> | undefined;
  let agent: Agent | undefined;
  const closing = new AbortController();

  async function prepare(): Promise<RequestOptions> {
    const base = dialOptions(address);
    const dialler = findDialler(address, { ...options, tls: endpoint.tls !== undefined });
    if (endpoint.tls === undefined) {
      agent = useDialler(new Agent({ keepAlive: true }), dialler, { closing: closing.signal, finish: (stream) => stream });
      return { ...base, agent };
    }
    const [{ Agent: TlsAgent }, { connect }, material] = await Promise.all([import("node:https"), import("node:tls"), readTls(endpoint.tls)]);
    const finish = (socket: Duplex, request: ConnectionOptions) => connect({ ...request, socket });
    agent = useDialler(new TlsAgent({ keepAlive: true, minVersion: "TLSv1.2", ...material }), dialler, { closing: closing.signal, finish });
    return { ...base, agent, protocol: "https:" };
  }

  return {
    async exchange(request) {
      throwIfAborted(request.signal);
      if (closing.signal.aborted) throw new RunnerError("INTERNAL", "a Docker client was used after it was closed");
      dial ??= prepare();
      dial.catch(() => (dial = undefined));
      const sendOptions = {
        dial: await dial,
        connectBudgetMs: options.connectBudgetMs,
        classify: (error: Error) => dockerTransportError(error, endpoint),
      };
      const basePath = address.kind === "tcp" ? address.basePath : "";
      const send = () => sendRequest({ ...request, path: `${basePath}${request.path}` }, sendOptions);
      try {
        return await send().catch((error: unknown) => {
          // The daemon may have closed a kept-alive connection just before it was used again: nothing was processed.
          if (isStaleConnection(error) && !isStream(request.body)) return send();
          throw error;
        });
      } catch (error) {
        if (request.signal?.aborted) throw abortedError(request.signal);
        throw dockerTransportError(error, endpoint);
      }
    },
    close() {
      closing.abort();
      agent?.destroy();
    },
  };
}

function dialOptions(address: DockerAddress): RequestOptions {
  switch (address.kind) {
    case "tcp":
      return { host: address.hostname, port: address.port };
    case "ssh":
      return { headers: { Host: "localhost" } };
    default:
      // A socket has no host name; Go's server wants a valid Host header all the same.
      return { socketPath: address.path, headers: { Host: "localhost" } };
  }
}

async function readTls(tls: DockerTls): Promise<Record<string, unknown>> {
  const read = async (path: string | undefined) => {
    if (path === undefined) return undefined;
    return readFile(path).catch((error: NodeJS.ErrnoException) => {
      throw new RunnerError(
        error.code === "EACCES" ? "PERMISSION_DENIED" : "INVALID_CONFIG",
        `the Docker certificate file ${path} can't be read: ${error.code}`,
        {
          hint: `put the file there, or unset ${tls.from.name}`,
          cause: error,
        },
      );
    });
  };
  const [ca, cert, key] = await Promise.all([read(tls.caPath), read(tls.certPath), read(tls.keyPath)]);
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), rejectUnauthorized: !tls.skipVerify };
}

const STALE = Symbol("stale");

interface SendOptions {
  readonly dial: RequestOptions;
  readonly connectBudgetMs: number;
  readonly classify: (error: Error) => Error;
}

function sendRequest(request: TransportRequest, { dial, connectBudgetMs, classify }: SendOptions): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const { body, signal } = request;
    const headers = {
      ...(dial.headers as Record<string, string> | undefined),
      ...(request.upgrade && { Connection: "Upgrade", Upgrade: "tcp" }),
      ...request.headers,
      ...lengthHeader(body, request.method),
    };
    const outgoing = httpRequest({ ...dial, ...dialRequest(signal), path: request.path, method: request.method, headers });
    const budget = watchDial(outgoing, connectBudgetMs);
    let response: IncomingMessage | undefined;

    const onAbort = () => void (response ?? outgoing).destroy(abortedError(signal as AbortSignal));
    const settle = () => signal?.removeEventListener("abort", onAbort);
    signal?.addEventListener("abort", onAbort, { once: true });

    outgoing.once("response", (incoming) => {
      budget.stop();
      response = incoming;
      classifyFailures(incoming, classify);
      incoming.once("end", settle).once("close", settle);
      resolve({ kind: "response", status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming });
    });
    outgoing.once("upgrade", (_incoming, socket: Socket, head) => {
      budget.stop();
      settle();
      if (head.length > 0) socket.unshift(head);
      resolve({ kind: "upgraded", socket });
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      budget.stop();
      settle();
      if (isStream(body)) body.destroy();
      if (bodyFailure !== undefined) return reject(bodyFailure);
      if (outgoing.reusedSocket && error.code === "ECONNRESET") Object.assign(error, { [STALE]: true });
      reject(error);
    });
    let bodyFailure: Error | undefined;
    if (isStream(body)) {
      body.once("error", (error) => (bodyFailure = error));
      pipeline(body, outgoing, (error) => error && outgoing.destroy(error));
    } else {
      outgoing.end(body);
    }
  });
}

/** A body that breaks shows its reader a classified error, not node's. */
function classifyFailures(incoming: IncomingMessage, classify: (error: Error) => Error): void {
  const destroy = incoming.destroy.bind(incoming);
  incoming.destroy = (error?: Error) => destroy(error === undefined ? undefined : classify(error));
}

/** Bounds the time until the connection stands, TLS included; what the daemon then takes is the caller's to bound. */
function watchDial(outgoing: ReturnType<typeof httpRequest>, budgetMs: number): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => clearTimeout(timer);
  outgoing.once("socket", (socket) => {
    // What comes through another stream is connected, but its handshake is still to come.
    if (!socket.connecting && (socket as { secureConnecting?: boolean }).secureConnecting !== true) return;
    timer = setTimeout(() => outgoing.destroy(Object.assign(new Error("the dial took too long"), { code: "ETIMEDOUT" })), budgetMs);
    timer.unref();
    socket.once("encrypted" in socket ? "secureConnect" : "connect", stop);
  });
  outgoing.once("close", stop);
  return { stop };
}

function lengthHeader(body: TransportRequest["body"], method: string): Record<string, string> {
  if (isStream(body)) return {};
  if (body === undefined) return method === "GET" || method === "HEAD" ? {} : { "Content-Length": "0" };
  return { "Content-Length": String(Buffer.byteLength(body)) };
}

function isStream(body: TransportRequest["body"]): body is Readable {
  return typeof body === "object";
}

function isStaleConnection(error: unknown): boolean {
  return (error as { [STALE]?: true })[STALE] === true;
}
