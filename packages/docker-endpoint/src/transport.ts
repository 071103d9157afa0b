import { readFile } from "node:fs/promises";
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import type { Socket } from "node:net";
import { pipeline, type Readable } from "node:stream";

import { abortedError, RunnerError, throwIfAborted } from "@anyrunner/core";

import { dockerTransportError } from "./docker-error.ts";
import { parseDockerHost, type DockerAddress } from "./docker-host.ts";
import type { DockerEndpoint, DockerTls } from "./resolve-endpoint.ts";

/** One HTTP exchange after the other on kept-alive connections to one daemon. */
export interface DockerTransport {
  /** Sends one request; the path is final. Fails with what `dockerTransportError` gives, TIMEOUT for a slow dial, ABORTED. */
  exchange(request: TransportRequest): Promise<TransportResponse>;
  close(): void;
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

/** Makes the transport for an endpoint; dials nothing yet. Fails with UNSUPPORTED for `ssh://`. */
export function createTransport(endpoint: DockerEndpoint, options: { readonly connectBudgetMs: number }): DockerTransport {
  const address = dialable(endpoint);
  let dial: Promise<RequestOptions> | undefined;
  let agent: Agent | undefined;
  let closed = false;

  async function prepare(): Promise<RequestOptions> {
    const base = dialOptions(address);
    if (endpoint.tls === undefined) {
      agent = new Agent({ keepAlive: true });
      return { ...base, agent };
    }
    const [{ Agent: TlsAgent }, material] = await Promise.all([import("node:https"), readTls(endpoint.tls)]);
    agent = new TlsAgent({ keepAlive: true, minVersion: "TLSv1.2", ...material });
    return { ...base, agent, protocol: "https:" };
  }

  return {
    async exchange(request) {
      throwIfAborted(request.signal);
      if (closed) throw new RunnerError("INTERNAL", "a Docker client was used after it was closed");
      dial ??= prepare();
      dial.catch(() => (dial = undefined));
      const sendOptions = { dial: await dial, connectBudgetMs: options.connectBudgetMs, classify: (error: Error) => dockerTransportError(error, endpoint) };
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
      closed = true;
      agent?.destroy();
    },
  };
}

type DialableAddress = Exclude<DockerAddress, { kind: "ssh" }>;

function dialable(endpoint: DockerEndpoint): DialableAddress {
  const address = parseDockerHost(endpoint.host);
  if (address.kind !== "ssh") return address;
  throw new RunnerError("UNSUPPORTED", `the Docker host ${endpoint.host} needs ssh, which is not supported yet`, {
    hint: "forward the socket with `ssh -N -L /tmp/docker.sock:/var/run/docker.sock HOST` and set DOCKER_HOST=unix:///tmp/docker.sock",
    details: { host: endpoint.host },
  });
}

function dialOptions(address: DialableAddress): RequestOptions {
  // A socket has no host name; Go's server wants a valid Host header all the same.
  if (address.kind !== "tcp") return { socketPath: address.path, headers: { Host: "localhost" } };
  return { host: address.hostname, port: address.port };
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
    const outgoing = httpRequest({ ...dial, path: request.path, method: request.method, headers });
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
    if (!socket.connecting) return;
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
