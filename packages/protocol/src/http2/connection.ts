import { connect, type ClientHttp2Session } from "node:http2";
import type { Duplex } from "node:stream";

import { abortedError, RunnerError } from "@anyrunner/core";

import { closeSession } from "./close-session.ts";
import { observeFirstBytes } from "./first-bytes.ts";
import type { StreamOpener } from "./open-stream.ts";
import { sendRequest, type Http2Request, type Http2Response } from "./request.ts";
import { DEFAULT_WINDOW_BYTES, sessionOptions } from "./session-options.ts";
import { http2Transport } from "./transport.ts";

/** What a peer allows that has not said yet what it allows, at least by custom (RFC 9113, 6.5.2). */
const UNSAID_MAX_STREAMS = 100;

export interface Http2ConnectionOptions {
  /** Receive window of each stream and of the connection, in bytes. Default 1 MiB. */
  readonly windowBytes?: number | undefined;
  /** Destroys the connection when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** The client's side of HTTP/2 on one byte stream. It never dials again: when the stream is gone, so is the connection. */
export interface Http2Connection extends StreamOpener {
  /** Resolves once, when the connection is gone; with the reason unless either side ended it in good order. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /**
   * Sends one request and resolves with the head of the answer. There is no time-out of its own: a query may run for hours.
   * Fails with CONNECTION_LOST, WRONG_SERVER or ABORTED; never because of a status.
   */
  request(request: Http2Request): Promise<Http2Response>;
  /** How many streams the peer allows at once; 100 until it has said so. */
  maxStreams(): number;
  /** Resolves with the round trip, in ms. */
  ping(): Promise<number>;
  /** Lets open requests end for `graceMs` (default 1,000), then destroys the rest. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
  destroy(error?: Error): void;
}

/** Speaks HTTP/2 with prior knowledge on `stream`, as a client. The stream must have no write pending. */
export function openHttp2Connection(stream: Duplex, options: Http2ConnectionOptions = {}): Http2Connection {
  const windowBytes = options.windowBytes ?? DEFAULT_WINDOW_BYTES;
  const transport = http2Transport(stream);
  const firstBytes = observeFirstBytes(transport);
  let settled = false;
  let endedInOrder = false;
  let failure: Error | undefined;

  const base = sessionOptions(windowBytes);
  const session: ClientHttp2Session = connect("http://dagger", {
    ...base,
    settings: { ...base.settings, enablePush: false },
    createConnection: () => transport,
  });
  whenConnected(session, () => session.setLocalWindowSize(windowBytes));
  session.once("remoteSettings", () => {
    settled = true;
    firstBytes.stop();
  });
  session.on("goaway", (code: number) => {
    if (code === 0) endedInOrder = true;
  });
  session.on("error", (error) => {
    failure ??= error;
  });
  transport.on("error", (error) => {
    failure ??= error;
  });

  const closed = new Promise<Error | undefined>((resolve) => {
    session.once("close", () => {
      firstBytes.stop();
      options.signal?.removeEventListener("abort", onAbort);
      resolve(failure !== undefined || !endedInOrder ? lostError() : undefined);
    });
  });

  const onAbort = () => connection.destroy(abortedError(options.signal as AbortSignal));
  const connection: Http2Connection = {
    closed,
    request: (request) => sendRequest(connection, request),
    openStream(headers, { endStream = false, waitForTrailers = false } = {}) {
      if (isOver()) throw lostError();
      try {
        return session.request(headers, { endStream, waitForTrailers });
      } catch (cause) {
        throw RunnerError.from(cause, "CONNECTION_LOST", { retryable: true });
      }
    },
    maxStreams: () => (settled ? (session.remoteSettings?.maxConcurrentStreams ?? UNSAID_MAX_STREAMS) : UNSAID_MAX_STREAMS),
    lost(cause) {
      if (!isOver()) return undefined;
      // A stream learns of a broken peer before its connection does; one that was ended in order tells nothing.
      if (!endedInOrder) failure ??= cause;
      return lostError();
    },
    ping: () =>
      new Promise((resolve, reject) => {
        if (isOver()) return reject(lostError());
        session.ping((error, roundTripMs) => (error === null ? resolve(roundTripMs) : reject(lostError())));
      }),
    async close({ graceMs = 1_000 } = {}) {
      endedInOrder = true;
      await closeSession(session, transport, graceMs);
    },
    destroy(error) {
      failure ??= error;
      endedInOrder = true;
      session.destroy();
      transport.destroy();
    },
  };
  if (options.signal?.aborted) onAbort();
  else options.signal?.addEventListener("abort", onAbort, { once: true });
  return connection;

  function isOver(): boolean {
    return session.closed || session.destroyed;
  }

  function lostError(): Error {
    if (RunnerError.is(failure)) return failure;
    const text = settled ? undefined : firstBytes.text();
    if (text !== undefined) {
      return new RunnerError("WRONG_SERVER", `the stream answered with text instead of HTTP/2: ${text}`, { cause: failure });
    }
    if (!settled && (failure as NodeJS.ErrnoException | undefined)?.code === "ERR_HTTP2_ERROR") {
      return new RunnerError("WRONG_SERVER", "what answered does not speak HTTP/2", { cause: failure, hint: "point the URL at a Dagger engine" });
    }
    const reason = failure?.message ?? (endedInOrder ? "closed" : "the engine closed it");
    return new RunnerError("CONNECTION_LOST", `connection to the engine lost: ${reason}`, { cause: failure, retryable: true });
  }
}

function whenConnected(session: ClientHttp2Session, callback: () => void): void {
  if (session.connecting) session.once("connect", callback);
  else callback();
}
