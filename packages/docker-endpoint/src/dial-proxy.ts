import { request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";

import { abortedError, RunnerError } from "@anyrunner/core";

import type { HttpProxy } from "./find-proxy.ts";

export interface DialProxyOptions {
  readonly hostname: string;
  readonly port: number;
  /** For the whole way, in ms. */
  readonly budgetMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A stream through an HTTP proxy (`CONNECT`), also to a daemon without TLS: what a hijacked stream carries is no HTTP. Fails with
 * INVALID_CONFIG, CONNECTION_REFUSED, AUTH_FAILED, NAME_NOT_RESOLVED, TIMEOUT, ABORTED; the proxy is named, its password never.
 */
export async function dialThroughProxy(proxy: HttpProxy, { hostname, port, budgetMs, signal }: DialProxyOptions): Promise<Duplex> {
  const request = proxy.url.protocol === "https:" ? (await import("node:https")).request : httpRequest;
  const authority = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  const where = `the proxy ${proxy.url.protocol}//${proxy.url.host} (${proxy.variable})`;
  return new Promise((resolve, reject) => {
    const connecting = request(proxy.url, { method: "CONNECT", path: authority, agent: false, headers: { Host: authority, ...authorization(proxy) } });
    const timer = setTimeout(() => connecting.destroy(Object.assign(new Error("out of time"), { code: "ETIMEDOUT" })), budgetMs);
    const onAbort = () => void connecting.destroy();
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    connecting.once("connect", ({ statusCode = 0, statusMessage = "" }, socket, head) => {
      settle();
      if (statusCode !== 200) {
        socket.destroy();
        return reject(refused(where, authority, { status: statusCode, reason: statusMessage, variable: proxy.variable }));
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    connecting.on("error", (error: NodeJS.ErrnoException) => {
      settle();
      reject(signal?.aborted ? abortedError(signal) : unreachable(where, error));
    });
    connecting.end();
    if (signal?.aborted) onAbort();
  });
}

function authorization({ url: { username, password }, variable }: HttpProxy): { readonly "Proxy-Authorization"?: string } {
  if (username === "" && password === "") return {};
  try {
    return { "Proxy-Authorization": `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}` };
  } catch {
    throw new RunnerError("INVALID_CONFIG", `user and password in ${variable} are not encoded as a URL's are`, { hint: "write %25 for a percent sign" });
  }
}

function refused(
  where: string,
  authority: string,
  { status, reason, variable }: { readonly status: number; readonly reason: string; readonly variable: string },
): RunnerError {
  const message = `${where} does not connect to ${authority}: ${status} ${reason}`.trim();
  const details = { status };
  if (status === 407)
    return new RunnerError("AUTH_FAILED", message, { hint: `give user and password in ${variable}: http://USER:PASSWORD@HOST:PORT`, details });
  const retryable = status === 502 || status === 503 || status === 504;
  return new RunnerError("CONNECTION_REFUSED", message, { hint: `allow it there, or put the Docker host into NO_PROXY`, retryable, details });
}

function unreachable(where: string, error: NodeJS.ErrnoException): RunnerError {
  const options = { cause: error, hint: "check the proxy, or put the Docker host into NO_PROXY", details: { errno: error.code ?? "" } };
  switch (error.code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new RunnerError("NAME_NOT_RESOLVED", `the name of ${where} has no address`, options);
    case "ETIMEDOUT":
      return new RunnerError("TIMEOUT", `${where} did not answer in time`, { ...options, retryable: true });
    default:
      return new RunnerError("CONNECTION_REFUSED", `${where} can't be reached: ${error.code ?? error.message}`, options);
  }
}
