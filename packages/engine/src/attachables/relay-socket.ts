import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { decodeBytesMessage, encodeBytesMessage, systemErrorText } from "@anyrunner/filesync";
import type { GrpcCall } from "@anyrunner/protocol";
import type { SocketAddress } from "./socket-address.ts";

export interface RelaySocketOptions {
  /** How long the engine must be silent after the socket's end until the call ends, in ms. Default 200. */
  readonly quietMs?: number | undefined;
}

/** A connection to a socket of this machine. */
export type StreamAddress = Exclude<SocketAddress, { readonly network: "udp" }>;

const QUIET_MS = 200;

/**
 * Connects and copies both directions until both have ended. The engine's half-close becomes one of the socket. The socket's end can't be
 * said without ending the call, and nothing tells a peer that is gone from one that still reads: the call ends when the
 * engine has sent nothing for a moment after it; else when the engine's half ends, as with the official client. Fails with
 * `dialer failed: …` or `copy failed: …`.
 */
export async function relaySocket(call: GrpcCall, address: StreamAddress, options: RelaySocketOptions = {}): Promise<void> {
  const socket = await connectSocket(address, call.signal);
  const onAbort = () => socket.destroy();
  call.signal.addEventListener("abort", onAbort, { once: true });
  const failed = new Promise<never>((_, reject) => socket.once("error", reject));
  failed.catch(() => {});
  const state = { lastMessageAt: 0, socketEnded: false };
  try {
    const toEngine = sendSocket(call, socket).then(() => void (state.socketEnded = true));
    const toSocket = writeSocket(call, socket, state);
    await Promise.race([
      failed,
      Promise.all([toSocket, toEngine]),
      toEngine.then(() => quiet({ socket, state, quietMs: options.quietMs ?? QUIET_MS, ended: toSocket })),
    ]);
  } catch (error) {
    call.signal.throwIfAborted();
    // The peer had said all it had to say and went.
    if (!state.socketEnded) throw new Error(`copy failed: ${systemErrorText(error)}`, { cause: error });
  } finally {
    call.signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}

/** Connects, or fails with `dialer failed: …`. */
export async function connectSocket(address: StreamAddress, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const target = address.network === "unix" ? { path: address.path } : { host: address.host, port: address.port };
  const socket = createConnection({ ...target, allowHalfOpen: true, noDelay: true });
  try {
    await once(socket, "connect", { signal });
    return socket;
  } catch (error) {
    socket.on("error", () => {}).destroy();
    signal.throwIfAborted();
    const where = address.network === "unix" ? address.path : `${address.host}:${address.port}`;
    throw new Error(`dialer failed: dial ${address.network} ${where}: connect: ${systemErrorText(error)}`, { cause: error });
  }
}

async function sendSocket(call: GrpcCall, socket: Socket): Promise<void> {
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) await call.send(encodeBytesMessage(chunk as Buffer));
}

async function writeSocket(call: GrpcCall, socket: Socket, state: { lastMessageAt: number }): Promise<void> {
  for await (const message of call.messages) {
    state.lastMessageAt = performance.now();
    const data = decodeBytesMessage(message);
    if (data.length > 0 && !socket.write(data) && !socket.destroyed) await once(socket, "drain", { signal: call.signal });
  }
  // What is written must be gone before the socket is destroyed.
  await new Promise<void>((resolve) => socket.end(() => resolve()));
}

interface Silence {
  readonly socket: Socket;
  readonly state: { readonly lastMessageAt: number };
  readonly quietMs: number;
  readonly ended: Promise<void>;
}

/** Settles when the engine has ended its half, or has sent nothing for so long and the socket has taken all of it. */
async function quiet({ socket, state, quietMs, ended }: Silence): Promise<void> {
  const from = performance.now();
  for (;;) {
    const waitMs = Math.max(from, state.lastMessageAt) + quietMs - performance.now();
    if (waitMs <= 0 && socket.writableLength === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const pause = new Promise<"paused">((resolve) => (timer = setTimeout(() => resolve("paused"), Math.max(waitMs, quietMs / 4))));
    const first = await Promise.race([pause, ended]);
    clearTimeout(timer);
    if (first !== "paused") return;
  }
}
