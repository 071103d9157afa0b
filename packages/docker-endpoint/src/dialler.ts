import type { Agent, ClientRequestArgs, RequestOptions } from "node:http";
import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";

import { abortedError } from "@anyrunner/core";

import { dialThroughProxy } from "./dial-proxy.ts";
import { dialDockerSsh, type DialDockerSsh } from "./dial-ssh.ts";
import type { DockerAddress } from "./docker-host.ts";
import { findProxy } from "./find-proxy.ts";

/** Opens a stream where node's own way to a socket isn't enough. */
export type Dialler = (options: { readonly signal?: AbortSignal | undefined }) => Promise<Duplex>;

export interface FindDiallerOptions {
  readonly tls: boolean;
  readonly connectBudgetMs: number;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly dialSsh?: DialDockerSsh | undefined;
}

/** By ssh, or through a proxy; `undefined`: node's own way will do. Fails as `findProxy`. */
export function findDialler(
  address: DockerAddress,
  { tls, connectBudgetMs, env = process.env, dialSsh = dialDockerSsh }: FindDiallerOptions,
): Dialler | undefined {
  if (address.kind === "ssh") return ({ signal }) => dialSsh(address.url, { signal });
  if (address.kind !== "tcp") return undefined;
  const { hostname, port } = address;
  const proxy = findProxy({ hostname, port, tls, env });
  return proxy && (({ signal }) => dialThroughProxy(proxy, { hostname, port, budgetMs: connectBudgetMs, signal }));
}

/** What a request's options hold beside node's own: an agent gets all of them. */
interface DialRequest {
  readonly dialSignal?: AbortSignal | undefined;
}

/** For the options of a request: ends its dial, too. */
export function dialRequest(dialSignal: AbortSignal | undefined): RequestOptions {
  return { dialSignal } as DialRequest as RequestOptions;
}

export interface UseDiallerOptions {
  readonly closing: AbortSignal;
  readonly finish: (stream: Duplex, request: ClientRequestArgs & ConnectionOptions) => Duplex;
}

/** Makes an agent's connections by `dialler`, and `finish` what it opens. A dial that is on its way when `closing` says so is given up. */
export function useDialler(agent: Agent, dialler: Dialler | undefined, { closing, finish }: UseDiallerOptions): Agent {
  if (dialler === undefined) return agent;
  agent.createConnection = (request: ClientRequestArgs & ConnectionOptions & DialRequest, callback) => {
    const signal = request.dialSignal === undefined ? closing : AbortSignal.any([request.dialSignal, closing]);
    dialler({ signal }).then(
      (stream) => {
        if (!closing.aborted) return callback?.(null, finish(stream, request));
        stream.destroy();
        callback?.(abortedError(closing), undefined as never);
      },
      (error: Error) => callback?.(error, undefined as never),
    );
    return undefined;
  };
  return agent;
}
