import { connect, type IpcNetConnectOpts, type Socket, type TcpNetConnectOpts } from "node:net";

import { RunnerError, throwIfAborted, type CloseReason, type RunnerConnection } from "@anyrunner/core";

import { watchDial, type DialOptions } from "./dial.ts";
import { dialTls, type DialTlsOptions } from "./dial-tls.ts";
import { socketError } from "./socket-error.ts";
import { formatSocketAddress, type SocketAddress } from "./target.ts";

const KEEP_ALIVE_MS = 30_000;

/**
 * Dials once. Fails with CONNECTION_REFUSED, NOT_FOUND, PERMISSION_DENIED, NAME_NOT_RESOLVED, TLS_FAILED, TIMEOUT, UNSUPPORTED (a
 * named pipe anywhere but on Windows), ABORTED.
 */
export async function connectSocket(address: SocketAddress, options: DialTlsOptions): Promise<RunnerConnection> {
  throwIfAborted(options.signal);
  const onReady = (socket: Socket) => describeConnection(socket, address);
  if (address.kind === "tls") return dialTls(address, options, onReady);
  if (address.kind === "npipe" && process.platform !== "win32") throw pipesAreOfWindows(address);
  return dialPlain(address, options, onReady);
}

/** UNSUPPORTED: named pipes exist on Windows only. */
export function pipesAreOfWindows(address: SocketAddress): RunnerError {
  return new RunnerError("UNSUPPORTED", `${formatSocketAddress(address)} is a named pipe, which only Windows has`, {
    hint: "use unix:///PATH here",
    driver: "socket",
  });
}

function dialPlain<T>(address: SocketAddress, { signal, budgetMs }: DialOptions, onReady: (socket: Socket) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = connect(dialOptions(address));
    const dial = watchDial(socket, { signal, resolve: () => resolve(onReady(socket)), reject, classify: (error) => socketError(error, address) });
    dial.budget(budgetMs, `the dial of ${formatSocketAddress(address)}`);
    socket.once("connect", () => dial.ready());
  });
}

function dialOptions(address: SocketAddress): TcpNetConnectOpts | IpcNetConnectOpts {
  if (address.kind === "tcp" || address.kind === "tls") {
    return { host: address.hostname, port: address.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
  }
  return { path: address.kind === "unix" && address.path.startsWith("@") ? `\0${address.path.slice(1)}` : address.path };
}

function describeConnection(socket: Socket, address: SocketAddress): RunnerConnection {
  let reason: CloseReason | undefined;
  const closed = watchClose(socket, address).then((found) => (reason = found));
  return {
    stream: socket,
    kind: "socket",
    // Windows' pipes end both ways at once.
    halfClose: address.kind !== "npipe",
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
      return RunnerError.is(reason.error) && reason.error.code === "TLS_FAILED" ? `broke (${reason.error.message})` : "broke";
  }
}
