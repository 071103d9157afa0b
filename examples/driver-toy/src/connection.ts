import { connect, type Socket } from "node:net";

import { abortedError, RunnerError, throwIfAborted, type CallOptions, type CloseReason, type RunnerConnection } from "@anyrunner/core/driver";

import type { ToyHandle } from "./find-runner.ts";
import type { Address } from "./inventory.ts";

/** Opens one TCP connection to the engine; called several times for each session, in parallel too. Fails with CONNECTION_REFUSED when nothing listens, ABORTED when `signal` says so. */
export async function openConnection({ endpoint }: ToyHandle, { signal }: CallOptions): Promise<RunnerConnection> {
  throwIfAborted(signal);
  const { host, port } = endpoint;
  const socket = connect({ host, port });
  const closed = closeOf(socket);
  const abort = () => socket.destroy();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const connected = new Promise<undefined>((resolve) => socket.once("connect", () => resolve(undefined)));
    const early = await Promise.race([connected, closed]);
    if (early !== undefined) throw signal?.aborted ? abortedError(signal) : connectError(early.error, endpoint);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
  return { stream: socket, kind: "socket", halfClose: true, closed, diagnostics: async () => ({}) };
}

/** Resolves when the socket is gone, and never rejects. */
function closeOf(socket: Socket): Promise<CloseReason> {
  return new Promise((resolve) => {
    let failure: Error | undefined;
    socket.once("error", (error) => (failure = error));
    socket.once("close", () => {
      if (failure !== undefined) resolve({ kind: "error", error: failure });
      else resolve({ kind: socket.readableEnded ? "end" : "local" });
    });
  });
}

/** The one place that knows what the errors of the network mean. */
function connectError(error: NodeJS.ErrnoException | undefined, { host, port }: Address): RunnerError {
  const code = error?.code;
  if (code === "ENOTFOUND") return new RunnerError("NAME_NOT_RESOLVED", `${host} has no address`, { cause: error, driver: "toy" });
  return new RunnerError("CONNECTION_REFUSED", `nothing answers at ${host}:${port} (${code ?? "no reason given"})`, {
    cause: error,
    hint: "start the runner, or correct the inventory",
    driver: "toy",
  });
}
