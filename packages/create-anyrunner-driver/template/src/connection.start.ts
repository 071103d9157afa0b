import { RunnerError, throwIfAborted, type CallOptions, type RunnerConnection } from "@anyrunner/core/driver";

import type { EchoHandle } from "./find-runner.ts";

/** Opens one byte stream to the engine; called several times for each session, in parallel too. Fails with NOT_FOUND, CONNECTION_REFUSED, ABORTED. */
export async function openConnection(_handle: EchoHandle, { signal }: CallOptions): Promise<RunnerConnection> {
  throwIfAborted(signal);
  throw new RunnerError("UNSUPPORTED", "left to write: a connection to the runner", {
    hint: "write openConnection in src/connection.ts: it gives { stream, kind, halfClose, closed, diagnostics }",
    driver: "echo",
  });
}
