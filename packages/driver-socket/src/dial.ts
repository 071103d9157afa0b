import type { Socket } from "node:net";

import { abortedError, RunnerError, type Reporter } from "@anyrunner/core/driver";

export interface DialOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long the dial itself may take, in ms. */
  readonly budgetMs: number;
  /** How long a handshake may take after it, in ms. */
  readonly handshakeBudgetMs: number;
  readonly report?: Reporter | undefined;
}

/** A socket on its way: it fails, is cancelled, runs out of time, or is ready. */
export interface Dial {
  /** Gives the next part of the way its budget, which replaces the one before. */
  budget(ms: number, what: string): void;
  /** The socket is ready; nothing of the dial stays on it. */
  ready(): void;
}

export interface WatchDialOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called at most once. */
  readonly resolve: () => void;
  readonly reject: (error: RunnerError) => void;
  readonly classify: (error: unknown) => RunnerError;
}

/** Watches a socket that is being dialled. Whatever ends the way destroys the socket. */
export function watchDial(socket: Socket, { signal, resolve, reject, classify }: WatchDialOptions): Dial {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => socket.destroy(abortedError(signal as AbortSignal));
  const onError = (error: unknown) => {
    settle();
    reject(classify(error));
  };
  const onClose = () => onError(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" }));
  const settle = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    socket.off("error", onError);
    socket.off("close", onClose);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  socket.once("error", onError);
  socket.once("close", onClose);
  return {
    budget(ms, what) {
      clearTimeout(timer);
      timer = setTimeout(() => socket.destroy(outOfTime(what, ms)), ms);
    },
    ready() {
      settle();
      resolve();
    },
  };
}

function outOfTime(what: string, budgetMs: number): RunnerError {
  return new RunnerError("TIMEOUT", `${what} took longer than ${budgetMs / 1000} s`, {
    hint: "check the address, and whether a firewall drops packets",
    driver: "socket",
    retryable: true,
  });
}
