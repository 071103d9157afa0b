import { connect } from "node:net";

import { abortedError, networkFailure, RunnerError, throwIfAborted, watchClose, type CallOptions, type RunnerConnection } from "@anyrunner/core/driver";

import type { ToyHandle } from "./find-runner.ts";
import type { Address } from "./inventory.ts";

/** Opens one TCP connection to the engine; called several times for each session, in parallel too. Fails with CONNECTION_REFUSED when nothing listens, ABORTED when `signal` says so. */
export async function openConnection({ endpoint }: ToyHandle, { signal }: CallOptions): Promise<RunnerConnection> {
  throwIfAborted(signal);
  const { host, port } = endpoint;
  const socket = connect({ host, port });
  const closed = watchClose(socket);
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

/** The one place that knows what the errors of the network mean. */
function connectError(error: Error | undefined, { host, port }: Address): RunnerError {
  const { kind, errno } = networkFailure(error);
  if (kind === "unnamed") return new RunnerError("NAME_NOT_RESOLVED", `${host} has no address`, { cause: error, driver: "toy" });
  return new RunnerError("CONNECTION_REFUSED", `nothing answers at ${host}:${port} (${errno ?? "no reason given"})`, {
    cause: error,
    hint: "start the runner, or correct the inventory",
    driver: "toy",
  });
}
