import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";

import { abortedError, RunnerError, throwIfAborted } from "@anyrunner/core/driver";

import { clusterStatusError, clusterTransportError } from "./cluster-error.ts";
import type { Cluster } from "./cluster.ts";

export interface ClusterRequest {
  /** Below the server, such as `/api/v1/namespaces/x/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: GET, or POST with a body. */
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE" | undefined;
  /** A PATCH's is a merge patch. */
  readonly body?: object | undefined;
}

const ERROR_BODY_BYTES = 64 * 1024;
const ANSWER_BUDGET_MS = 20_000;

/** An answer, and when the API server gave it: its clock is the one that all clients share. */
export interface DatedAnswer<T> {
  readonly value: T;
  /** Milliseconds since 1970, in whole seconds. */
  readonly at: number;
}

/** The answer as JSON. Fails as `clusterStatusError` and `clusterTransportError` say, and with ABORTED. */
export async function requestJson<T>(cluster: Cluster, request: ClusterRequest): Promise<T> {
  return (await requestDated<T>(cluster, request)).value;
}

/** As `requestJson`, with the server's time. */
export async function requestDated<T>(cluster: Cluster, request: ClusterRequest): Promise<DatedAnswer<T>> {
  const body = await requestBody(cluster, request);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch (error) {
    throwIfAborted(request.signal);
    throw clusterTransportError(error, cluster);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  try {
    return { value: JSON.parse(text) as T, at: Date.parse(body.headers.date ?? "") || Date.now() };
  } catch (error) {
    throw new RunnerError("WRONG_SERVER", `what answers at ${cluster.where} is no Kubernetes API server: it gives no JSON`, {
      hint: "check the kubeconfig's server, and proxies on the way",
      cause: error,
      driver: "kubernetes",
    });
  }
}

/** As `requestJson`; `undefined` for status 404. */
export async function findJson<T>(cluster: Cluster, request: ClusterRequest): Promise<T | undefined> {
  return (await findDated<T>(cluster, request))?.value;
}

/** As `requestDated`; `undefined` for status 404. */
export async function findDated<T>(cluster: Cluster, request: ClusterRequest): Promise<DatedAnswer<T> | undefined> {
  try {
    return await requestDated<T>(cluster, request);
  } catch (error) {
    if (RunnerError.is(error) && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** The answer's body as it comes; the signal cuts it, too. */
export function requestBody(
  cluster: Cluster,
  { path, query, signal, body, method = body === undefined ? "GET" : "POST" }: ClusterRequest,
): Promise<IncomingMessage> {
  throwIfAborted(signal);
  const url = clusterUrl(cluster, path, query);
  return new Promise((resolve, reject) => {
    const send = url.protocol === "http:" ? requestHttp : requestHttps;
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    // Of a DELETE, node tells no length by itself, and the server would take the body for the next request.
    const about = content === undefined ? {} : { "content-type": type, "content-length": content.length };
    const headers = { ...cluster.options.headers, accept: "application/json, */*", ...about };
    const outgoing = send(url, { ...cluster.options, method, headers });
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const fail = (error: unknown) => {
      settle();
      reject(signal?.aborted ? abortedError(signal) : clusterTransportError(error, cluster));
    };
    const onAbort = () => void outgoing.destroy(abortedError(signal as AbortSignal));
    const timer = setTimeout(() => outgoing.destroy(new Error("it did not answer in time")), ANSWER_BUDGET_MS);
    signal?.addEventListener("abort", onAbort, { once: true });
    outgoing.on("error", fail);
    outgoing.once("response", (response) => {
      clearTimeout(timer);
      response.once("close", settle);
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) resolve(response);
      else void readErrorBody(response).then((text) => reject(signal?.aborted ? abortedError(signal) : clusterStatusError(status, text, cluster)), fail);
    });
    outgoing.end(content);
  });
}

/** The first 64 KiB of an error's body; what breaks meanwhile ends it. */
export async function readErrorBody(response: IncomingMessage): Promise<string> {
  let text = "";
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      text += chunk.toString("utf8");
      if (text.length > ERROR_BODY_BYTES) break;
    }
  } catch {
    // The status alone says enough.
  }
  response.destroy();
  return text.slice(0, ERROR_BODY_BYTES);
}

export function clusterUrl(cluster: Cluster, path: string, query: ClusterRequest["query"] = {}): URL {
  const url = new URL(cluster.server + path);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.append(name, String(value));
  return url;
}
