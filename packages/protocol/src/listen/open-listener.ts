import { chmod, lstat, mkdir, rm } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import type { TLSSocket } from "node:tls";

import { RunnerError } from "@anyrunner/core";

import { formatListenUrl, type ListenAddress } from "./listen-address.ts";

/** PEM texts: who we are, and whose clients are let in. */
export interface ServerIdentity {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface OpenListenerOptions {
  readonly address: ListenAddress;
  /** For `tls`: clients must have a certificate of its authority. */
  readonly identity?: ServerIdentity | undefined;
  /** Gets each client; half-open, without delay, with an error listener. */
  readonly onStream: (stream: Socket) => void;
}

export interface Listener {
  /** With the port that it has. */
  readonly address: ListenAddress;
  /** As clients name it. */
  readonly url: string;
  /** Accepts no more; the clients that are there are the caller's. Idempotent. */
  stop(): Promise<void>;
}

const HANDSHAKE_BUDGET_MS = 10_000;

/**
 * Accepts clients. A Unix socket is made for this user alone (0600; folders that are missing 0700), and takes the place of one whose
 * process is gone. Fails with ALREADY_EXISTS where something listens or another file stands, PERMISSION_DENIED, NOT_FOUND.
 */
export async function openListener(options: OpenListenerOptions): Promise<Listener> {
  const { address } = options;
  const server = await createListener(options);
  try {
    if (address.kind === "unix") await listenOnSocket(server, address.path);
    else await listenOnPort(server, address);
  } catch (error) {
    // It may have been bound already.
    server.close();
    throw error;
  }
  // Out of descriptors: who could not be accepted has been told, and the next one may be.
  server.on("error", () => {});
  const listening: ListenAddress = address.kind === "unix" ? address : { ...address, port: (server.address() as AddressInfo).port };
  let stopped: Promise<void> | undefined;
  return {
    address: listening,
    url: formatListenUrl(listening),
    stop: () => (stopped ??= new Promise((resolve) => server.close(() => resolve()))),
  };
}

async function createListener({ address, identity, onStream }: OpenListenerOptions): Promise<Server> {
  const accept = (socket: Socket) => {
    socket.on("error", () => {});
    socket.setNoDelay(true);
    onStream(socket);
  };
  if (address.kind !== "tls") return createServer({ allowHalfOpen: true }, accept);
  if (identity === undefined) throw new RunnerError("USAGE", "tls:// needs certificates", { hint: "make some with `anyrunner certs create`" });
  const { createServer: createTlsServer } = await import("node:tls");
  const server = createTlsServer(
    { ...identity, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.2", allowHalfOpen: true, handshakeTimeout: HANDSHAKE_BUDGET_MS },
    accept,
  );
  // Node leaves a socket whose handshake failed to whoever listens here.
  server.on("tlsClientError", (_error: Error, socket: TLSSocket) => socket.destroy());
  return server;
}

async function listenOnPort(server: Server, { kind, host, port }: ListenAddress & { readonly kind: "tcp" | "tls" }): Promise<void> {
  try {
    await listening(server, () => server.listen({ host, port }));
  } catch (error) {
    throw listenError(error, `${kind}://${host}:${port}`);
  }
}

async function listenOnSocket(server: Server, path: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await listening(server, () => listenPrivately(server, path));
      return await chmod(path, 0o600);
    } catch (error) {
      const inUse = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      if (!inUse || attempt > 0 || !(await removeStale(path))) throw listenError(error, `unix://${path}`);
    }
  }
}

/** The socket is bound before `listen` returns: there is no moment at which others could connect. */
function listenPrivately(server: Server, path: string): void {
  const before = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => () => {
      server.off("error", onError).off("listening", onListening);
      end();
    };
    const onError = (error: Error) => settle(() => reject(error))();
    const onListening = settle(resolve);
    server.once("error", onError).once("listening", onListening);
    listen();
  });
}

/** Removes the socket file of a process that is gone; false when it is alive, or no socket. */
async function removeStale(path: string): Promise<boolean> {
  const before = await lstat(path).catch(() => undefined);
  if (before === undefined) return true;
  if (!before.isSocket() || (await answers(path))) return false;
  // Another process may have been faster.
  const now = await lstat(path).catch(() => undefined);
  if (now?.ino === before.ino) await rm(path, { force: true });
  return true;
}

/** Whether a process accepts connections on the socket. What can't be tried counts as alive. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"));
  });
}

function listenError(error: unknown, where: string): RunnerError {
  const { code } = error as NodeJS.ErrnoException;
  const fail = (as: "ALREADY_EXISTS" | "PERMISSION_DENIED" | "NOT_FOUND", message: string, hint: string) =>
    new RunnerError(as, message, { cause: error, hint });
  switch (code) {
    case "EADDRINUSE":
    case "EEXIST":
      return fail("ALREADY_EXISTS", `${where} is taken already`, "choose another address, or stop what is there");
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return fail("PERMISSION_DENIED", `this user may not listen on ${where}`, "choose another address");
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "ENOTDIR":
      return fail("NOT_FOUND", `${where} is no address of this machine`, "choose another address");
    default:
      return RunnerError.from(error, "INTERNAL");
  }
}
