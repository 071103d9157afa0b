import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";

import { orAborted, RunnerError } from "@anyrunner/core";

import { chooseApiVersion, compareApiVersions, NEWEST_API_VERSION } from "./api-version.ts";
import type { DialDockerSsh } from "./dial-ssh.ts";
import { dockerStatusError, dockerTransportError } from "./docker-error.ts";
import { readJson, readText } from "./read-body.ts";
import type { DockerEndpoint } from "./resolve-endpoint.ts";
import { createTransport, type TransportResponse } from "./transport.ts";

/** Raw requests to one Docker daemon on node:http alone. Everything rejects with a `RunnerError`. */
export interface DockerClient {
  readonly endpoint: DockerEndpoint;
  /** The version that is spoken with this daemon, such as `1.41`; asked once. Fails with VERSION_MISMATCH, WRONG_SERVER, or as a dial does. */
  apiVersion(signal?: AbortSignal): Promise<string>;
  /**
   * Sends one request and gives the answer as soon as its head is there; the caller reads or destroys the body. Statuses
   * outside 2xx reject, but for those in `expect`. Time-outs are the caller's (`signal`, which also breaks the body);
   * only the dial has a budget of its own. A body that breaks fails with CONNECTION_LOST, or ABORTED.
   */
  request(request: DockerRequest): Promise<DockerResponse>;
  /** `request` for a JSON answer; `undefined` where the answer is empty. */
  json<T>(request: DockerRequest): Promise<T>;
  /** Sends a request that turns the connection into a raw stream in both directions; `end()` closes the one to the daemon. */
  hijack(request: Omit<DockerRequest, "body" | "expect">): Promise<RawStream>;
  /** Closes kept-alive connections and those of requests that still run; hijacked streams stay. */
  close(): void;
}

/** A connection that has become a raw stream: a socket, TLS or not, or what stands for one over ssh. */
export type RawStream = Socket;

export interface DockerRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | undefined;
  /** Without the version: `/containers/json`. Variable parts are the caller's to encode. */
  readonly path: string;
  /** What is `undefined` is left away; objects and lists are sent as JSON (`filters`). */
  readonly query?: Readonly<Record<string, string | number | boolean | object | undefined>> | undefined;
  readonly json?: unknown;
  readonly body?: Readable | string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Further statuses that are no failure, such as 304 or 404. */
  readonly expect?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DockerResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

export interface DockerClientOptions {
  /** The API version that was agreed with this daemon before; saves asking again. Default: negotiated with the first request. */
  readonly apiVersion?: string | undefined;
  /** How long a dial may take, in ms. Default 10,000. */
  readonly connectBudgetMs?: number | undefined;
  /** How long the daemon may take to say its version, in ms. Default 10,000. */
  readonly versionBudgetMs?: number | undefined;
  /** Where HTTPS_PROXY, HTTP_PROXY and NO_PROXY are. Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** How hosts by `ssh://` are dialled. Default: by the system's ssh. */
  readonly dialSsh?: DialDockerSsh | undefined;
}

const ERROR_BODY_LIMIT_BYTES = 64 * 1024;
/** What a daemon speaks that doesn't say a version: negotiation came with 1.25. */
const BEFORE_NEGOTIATION = "1.24";

/** Makes a client; dials nothing yet. */
export function createDockerClient(endpoint: DockerEndpoint, options: DockerClientOptions = {}): DockerClient {
  const transport = createTransport(endpoint, { connectBudgetMs: options.connectBudgetMs ?? 10_000, env: options.env, dialSsh: options.dialSsh });
  const known = endpoint.apiVersion ?? options.apiVersion;
  let negotiation: Promise<string> | undefined = known === undefined ? undefined : Promise.resolve(known);

  const negotiate = (): Promise<string> => {
    negotiation ??= askVersion();
    negotiation.catch(() => (negotiation = undefined));
    return negotiation;
  };

  async function askVersion(): Promise<string> {
    const budgetMs = options.versionBudgetMs ?? 10_000;
    const signal = AbortSignal.timeout(budgetMs);
    try {
      const ping = checked(await transport.exchange({ method: "GET", path: "/_ping", signal }));
      await readText(ping.body, { limitBytes: ERROR_BODY_LIMIT_BYTES });
      const newest = ping.status === 200 ? ping.headers["api-version"] : undefined;
      // Only a daemon that is newer than we are can have a minimum above ours, and the ping doesn't tell it.
      if (typeof newest === "string" && compareApiVersions(newest, NEWEST_API_VERSION) <= 0) return chooseApiVersion({ newest });
      const answer = checked(await transport.exchange({ method: "GET", path: "/version", signal }));
      if (answer.status === 404) throw notDocker();
      if (answer.status !== 200) throw await statusError(answer);
      const version = await readJson<{ ApiVersion?: string; MinAPIVersion?: string }>(answer.body);
      return chooseApiVersion({ newest: version.ApiVersion ?? BEFORE_NEGOTIATION, oldest: version.MinAPIVersion || undefined });
    } catch (error) {
      if (signal.aborted) {
        throw new RunnerError("TIMEOUT", `the Docker daemon at ${endpoint.host} accepted a connection but did not answer within ${budgetMs} ms`, {
          hint: "check whether the daemon hangs",
          retryable: true,
          details: { host: endpoint.host },
        });
      }
      throw dockerTransportError(error, endpoint);
    }
  }

  async function send(request: DockerRequest, upgrade: boolean): Promise<TransportResponse> {
    const version = await orAborted(negotiate(), request.signal);
    const body = request.json === undefined ? request.body : JSON.stringify(request.json);
    return transport.exchange({
      method: request.method ?? "GET",
      path: `/v${version}${request.path}${formatQuery(request.query)}`,
      headers: { ...(request.json !== undefined && { "Content-Type": "application/json" }), ...request.headers },
      body,
      upgrade,
      signal: request.signal,
    });
  }

  async function statusError(response: DockerResponse): Promise<RunnerError> {
    const text = await readText(response.body, { limitBytes: ERROR_BODY_LIMIT_BYTES }).catch(() => "");
    return dockerStatusError(response.status, daemonMessage(text), endpoint);
  }

  function checked(response: TransportResponse): DockerResponse {
    if (response.kind === "response") return response;
    response.socket.destroy();
    throw notDocker();
  }

  function notDocker(): RunnerError {
    return new RunnerError("WRONG_SERVER", `what answers at ${endpoint.host} is no Docker daemon`, {
      hint: "check the Docker host",
      details: { host: endpoint.host },
    });
  }

  const client: DockerClient = {
    endpoint,
    apiVersion: (signal) => orAborted(negotiate(), signal),
    async request(request) {
      const response = checked(await send(request, false));
      // An unread answer would keep its connection busy; one without a body is nobody's to read.
      if (response.status === 204 || response.status === 304 || response.headers["content-length"] === "0") response.body.resume();
      if ((response.status >= 200 && response.status < 300) || request.expect?.includes(response.status)) return response;
      throw await statusError(response);
    },
    async json<T>(request: DockerRequest): Promise<T> {
      const { body } = await client.request(request);
      return readJson<T>(body);
    },
    async hijack(request) {
      const response = await send({ method: "POST", ...request }, true);
      if (response.kind === "upgraded") {
        // Not every stream is a socket.
        (response.socket as Partial<Pick<RawStream, "setNoDelay">>).setNoDelay?.(true);
        return response.socket;
      }
      if (response.status >= 300) throw await statusError(response);
      response.body.destroy();
      throw new RunnerError("UNSUPPORTED", `the Docker daemon at ${endpoint.host} did not switch to a raw stream (status ${response.status})`, {
        hint: "let the proxy in front of it pass `Upgrade: tcp`",
        details: { host: endpoint.host, status: response.status },
      });
    },
    close: () => transport.close(),
  };
  return client;
}

function formatQuery(query: DockerRequest["query"]): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) params.append(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

/** Docker answers `{"message": …}`, Podman adds more fields, proxies and very old daemons send plain text. */
function daemonMessage(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "message" in value && typeof value.message === "string") return value.message.trim();
  } catch {
    return text.trim().slice(0, 1000);
  }
  return text.trim().slice(0, 1000);
}
