import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import { abortedError, throwIfAborted } from "@anyrunner/core/driver";
import type { WebSocket } from "ws";

import { clusterStatusError, clusterTransportError } from "./cluster-error.ts";
import { clusterUrl, readErrorBody } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import { podPath } from "./pod.ts";

/** v5 (Kubernetes 1.30) can end standard input alone; v4 is what older servers know. */
const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/** The first byte of each frame. */
export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;

/** With v5, the frame that ends standard input. */
export const CLOSE_STDIN: Buffer = Buffer.from([CHANNEL.close, CHANNEL.stdin]);

/** More than any frame of a server, which are 32 KiB. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export interface ExecSocketOptions {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly handshakeBudgetMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** An exec whose WebSocket is open and paused, so that nothing of it is missed. */
export interface ExecSocket {
  readonly socket: WebSocket;
  /** What the WebSocket runs on, for `ref` and `unref`. */
  readonly raw: Socket | undefined;
  /** Whether standard input can be ended alone. */
  readonly halfClose: boolean;
}

/** Starts a program in a container. Refusals fail as `clusterStatusError` says, with what the server sent along. */
export async function openExecSocket(cluster: Cluster, options: ExecSocketOptions): Promise<ExecSocket> {
  const { signal } = options;
  throwIfAborted(signal);
  const { WebSocket: WebSocketClient } = await import("ws");
  throwIfAborted(signal);
  const url = clusterUrl(cluster, `${podPath(options.namespace, options.pod)}/exec`, {
    container: options.container,
    stdin: true,
    stdout: true,
    stderr: true,
    tty: false,
  });
  for (const argument of options.command) url.searchParams.append("command", argument);
  url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
  return new Promise((resolve, reject) => {
    const socket = new WebSocketClient(url, PROTOCOLS, {
      ...cluster.options,
      headers: { ...cluster.options.headers } as Record<string, string>,
      handshakeTimeout: options.handshakeBudgetMs,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      followRedirects: false,
    });
    let raw: Socket | undefined;
    const settle = () => signal?.removeEventListener("abort", onAbort);
    const onAbort = () => {
      settle();
      reject(abortedError(signal as AbortSignal));
      socket.terminate();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    // Stays: a WebSocket that is cut while it opens tells that, too.
    socket.on("error", (error) => {
      settle();
      reject(clusterTransportError(error, cluster));
    });
    socket.once("upgrade", (response: IncomingMessage) => {
      raw = response.socket;
      raw.setNoDelay(true);
    });
    socket.once("unexpected-response", (request, response: IncomingMessage) => {
      void readErrorBody(response).then((body) => {
        settle();
        request.destroy();
        reject(signal?.aborted ? abortedError(signal) : clusterStatusError(response.statusCode ?? 0, body, cluster));
      });
    });
    socket.once("open", () => {
      settle();
      socket.pause();
      resolve({ socket, raw, halfClose: socket.protocol === PROTOCOLS[0] });
    });
  });
}
