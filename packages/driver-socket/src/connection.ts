import { connect as dial, type Socket, type TcpNetConnectOpts, type IpcNetConnectOpts } from "node:net";

import { abortedError, throwIfAborted, type CloseReason, type RunnerConnection } from "@anyrunner/core";

import { socketError } from "./socket-error.ts";
import { formatSocketAddress, type SocketAddress } from "./target.ts";

export interface ConnectSocketOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long a dial may take, in ms. */
  readonly budgetMs: number;
}

const KEEP_ALIVE_MS = 30_000;

/** Dials once. Fails with CONNECTION_REFUSED, NOT_FOUND, PERMISSION_DENIED, NAME_NOT_RESOLVED, TIMEOUT, ABORTED. */
export function connectSocket(address: SocketAddress, options: ConnectSocketOptions): Promise<RunnerConnection> {
  const { signal, budgetMs } = options;
  throwIfAborted(signal);
  return new Promise((resolve, reject) => {
    const socket = dial(dialOptions(address));
    const timer = setTimeout(() => socket.destroy(Object.assign(new Error("the dial took too long"), { code: "ETIMEDOUT" })), budgetMs);
    const onAbort = () => socket.destroy(abortedError(signal as AbortSignal));
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    const onError = (error: Error) => {
      settle();
      reject(socketError(error, address));
    };
    socket.once("error", onError);
    socket.once("connect", () => {
      settle();
      socket.off("error", onError);
      resolve(describeConnection(socket, address));
    });
  });
}

function dialOptions(address: SocketAddress): TcpNetConnectOpts | IpcNetConnectOpts {
  if (address.kind === "tcp") return { host: address.hostname, port: address.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
  return { path: address.path.startsWith("@") ? `\0${address.path.slice(1)}` : address.path };
}

function describeConnection(socket: Socket, address: SocketAddress): RunnerConnection {
  let reason: CloseReason | undefined;
  const closed = watchClose(socket, address).then((found) => (reason = found));
  return {
    stream: socket,
    kind: "socket",
    halfClose: true,
    closed,
    diagnostics: async () => ({
      summary: `the connection to ${formatSocketAddress(address)} ${describeState(reason)}, after ${socket.bytesWritten} bytes were sent and ${socket.bytesRead} received`,
    }),
  };
}

function watchClose(socket: Socket, address: SocketAddress): Promise<CloseReason> {
  return new Promise((resolve) => {
    let failure: Error | undefined;
    socket.on("error", (error) => (failure = socketError(error, address)));
    socket.once("close", () => {
      if (failure !== undefined) resolve({ kind: "error", error: failure });
      else resolve({ kind: socket.readableEnded ? "end" : "local" });
    });
  });
}

function describeState(reason: CloseReason | undefined): string {
  switch (reason?.kind) {
    case undefined:
      return "is open";
    case "end":
      return "was ended by the engine";
    case "local":
      return "was closed here";
    case "error":
      return "broke";
  }
}
