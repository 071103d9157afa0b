import { RunnerError, throwIfAborted, type CallOptions, type ProbeResult, type RunnerHandle } from "@anyrunner/core/driver";

import type { EchoTarget } from "./target.ts";

/** A runner that exists: plain JSON, which another process may use tomorrow. Paths to credentials, never credentials. */
export interface EchoHandle extends RunnerHandle {
  readonly endpoint: { readonly address: string };
}

/** Says whether the runner is there. That it isn't is an answer, and no error. Fails with ABORTED. */
export async function probeRunner(target: EchoTarget, { signal }: CallOptions): Promise<ProbeResult> {
  throwIfAborted(signal);
  throw new RunnerError("UNSUPPORTED", "left to write: whether a runner is there", {
    hint: "write probeRunner in src/find-runner.ts: it gives { available: true }, or { available: false, reason, hint }",
    driver: "echo",
  });
}

/** Finds the runner; two callers get the same `id`. Fails with NOT_FOUND, ABORTED. */
export async function findRunner(target: EchoTarget, { signal }: CallOptions): Promise<EchoHandle> {
  throwIfAborted(signal);
  throw new RunnerError("UNSUPPORTED", "left to write: what the runner is", {
    hint: 'write findRunner in src/find-runner.ts: it gives { driver: "echo", id, endpoint: { address }, owned: false, labels: {} }',
    driver: "echo",
  });
}
