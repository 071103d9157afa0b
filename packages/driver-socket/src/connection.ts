import { connect, isIP, type IpcNetConnectOpts, type Socket, type TcpNetConnectOpts } from "node:net";

import { RunnerError, throwIfAborted, watchClose, type CloseReason, type ConnectionDiagnostics, type RunnerConnection } from "@anyrunner/core/driver";

import { watchDial, type DialOptions } from "./dial.ts";
import { dialTls, type DialTlsOptions } from "./dial-tls.ts";
import type { AddressPin, HeldAddress } from "./pin-address.ts";
import { socketError } from "./socket-error.ts";
import { speaksTls } from "./speaks-tls.ts";
import { formatSocketAddress, type SocketAddress } from "./target.ts";

export interface ConnectSocketOptions extends Omit<DialTlsOptions, "lookup"> {
  /** Shared by the streams of one runner. */
  readonly pin: AddressPin;
}

const KEEP_ALIVE_MS = 30_000;
/** As much as a TLS server says to what is no TLS: an alert. */
const ALERT_BYTES = 7;

/**
 * Dials once. Fails with CONNECTION_REFUSED, NOT_FOUND, PERMISSION_DENIED, NAME_NOT_RESOLVED, TLS_FAILED, TIMEOUT, UNSUPPORTED (a
 * named pipe anywhere but on Windows), ABORTED.
 */
export async function connectSocket(address: SocketAddress, { pin, ...options }: ConnectSocketOptions): Promise<RunnerConnection> {
  throwIfAborted(options.signal);
  if (address.kind === "npipe" && process.platform !== "win32") throw pipesAreOfWindows(address);
  const held = pin.hold();
  const onReady = (socket: Socket) => {
    held.connected(socket);
    socket.once("close", held.release);
    return describeConnection(socket, address);
  };
  try {
    if (address.kind === "tls") return await dialTls(address, { ...options, lookup: held.lookup }, onReady);
    return await dialPlain(address, { ...options, held }, onReady);
  } catch (error) {
    held.failed();
    throw error;
  }
}

/** UNSUPPORTED: named pipes exist on Windows only. */
export function pipesAreOfWindows(address: SocketAddress): RunnerError {
  return new RunnerError("UNSUPPORTED", `${formatSocketAddress(address)} is a named pipe, which only Windows has`, {
    hint: "use unix:///PATH here",
    driver: "socket",
  });
}

function dialPlain<T>(
  address: SocketAddress,
  { signal, budgetMs, held }: DialOptions & { readonly held: HeldAddress },
  onReady: (socket: Socket) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = connect(dialOptions(address, held));
    const dial = watchDial(socket, { signal, resolve: () => resolve(onReady(socket)), reject, classify: (error) => socketError(error, address) });
    dial.budget(budgetMs, `the dial of ${formatSocketAddress(address)}`);
    socket.once("connect", () => dial.ready());
  });
}

function dialOptions(address: SocketAddress, { lookup }: HeldAddress): TcpNetConnectOpts | IpcNetConnectOpts {
  if (address.kind === "tcp" || address.kind === "tls") {
    return { host: address.hostname, port: address.port, lookup, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
  }
  return { path: address.kind === "unix" && address.path.startsWith("@") ? `\0${address.path.slice(1)}` : address.path };
}

function describeConnection(socket: Socket, address: SocketAddress): RunnerConnection {
  let reason: CloseReason | undefined;
  const closed = watchClose(socket, (error) => socketError(error, address)).then((found) => (reason = found));
  const where = describePlace(socket, address);
  const dialled = { host: socket.remoteAddress, port: socket.remotePort };
  return {
    stream: socket,
    kind: "socket",
    // Windows' pipes end both ways at once.
    halfClose: address.kind !== "npipe",
    closed,
    diagnostics: async ({ signal } = {}) => ({
      summary: `the connection to ${where} ${describeState(reason)}, after ${socket.bytesWritten} bytes were sent and ${socket.bytesRead} received`,
      ...(address.kind === "tcp" && socket.bytesRead <= ALERT_BYTES ? await findTls(address, dialled, signal) : {}),
    }),
  };
}

/** The URL, and which of its name's addresses it is. */
function describePlace({ remoteAddress }: Socket, address: SocketAddress): string {
  const url = formatSocketAddress(address);
  if (address.kind === "unix" || address.kind === "npipe" || isIP(address.hostname) !== 0 || remoteAddress === undefined) return url;
  return `${url} (at ${remoteAddress})`;
}

/** A TLS server that gets something else closes without a word, as an engine does that is still starting; so it is asked. */
async function findTls(
  address: SocketAddress & { kind: "tcp" },
  { host, port }: { readonly host: string | undefined; readonly port: number | undefined },
  signal: AbortSignal | undefined,
): Promise<Pick<ConnectionDiagnostics, "mismatch">> {
  if (host === undefined || port === undefined) return {};
  const servername = isIP(address.hostname) === 0 ? address.hostname : undefined;
  if (!(await speaksTls({ host, port, servername, signal }))) return {};
  return {
    mismatch: {
      message: `what answers at ${formatSocketAddress(address)} speaks TLS`,
      hint: `use ${formatSocketAddress({ ...address, kind: "tls" })}, with ?ca_path=FILE for an authority of your own and cert_path and key_path if it wants to know you`,
    },
  };
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
