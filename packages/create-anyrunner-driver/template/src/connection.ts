import { RunnerError, throwIfAborted, watchClose, type CallOptions, type RunnerConnection } from "@anyrunner/core/driver";

import type { EchoHandle } from "./find-runner.ts";
import { openStream, runners } from "./in-memory.ts";

/** Opens one byte stream to the engine; called several times for each session, in parallel too. Fails with NOT_FOUND, ABORTED. */
export async function openConnection({ endpoint }: EchoHandle, { signal }: CallOptions): Promise<RunnerConnection> {
  throwIfAborted(signal);
  const serve = runners.get(endpoint.address);
  if (serve === undefined) {
    throw new RunnerError("NOT_FOUND", `there is no runner ${endpoint.address}`, { hint: "start it, or correct the URL", driver: "echo" });
  }
  const stream = openStream(serve);
  return { stream, kind: "socket", halfClose: true, closed: watchClose(stream), diagnostics: async () => ({}) };
}
