import { RunnerError, throwIfAborted, unavailable, type CallOptions, type ProbeResult, type RunnerHandle } from "@anyrunner/core/driver";

import { findAddress } from "./inventory.ts";
import type { ToyTarget } from "./target.ts";

/** A runner that exists: plain JSON, which another process may use tomorrow. Paths to credentials, never credentials. */
export interface ToyHandle extends RunnerHandle {
  readonly endpoint: { readonly host: string; readonly port: number };
}

/** Says whether the runner is there. That it isn't is an answer, and no error. Fails with ABORTED. */
export async function probeRunner(target: ToyTarget, { signal }: CallOptions): Promise<ProbeResult> {
  throwIfAborted(signal);
  try {
    await findAddress(target);
    return { available: true };
  } catch (error) {
    return unavailable(RunnerError.from(error, "INTERNAL"));
  }
}

/** Finds the runner; two callers get the same `id`. Fails with NOT_FOUND, INVALID_CONFIG, ABORTED. */
export async function findRunner(target: ToyTarget, { signal }: CallOptions): Promise<ToyHandle> {
  throwIfAborted(signal);
  const { host, port } = await findAddress(target);
  return { driver: "toy", id: `${host}:${port}`, endpoint: { host, port }, owned: false, labels: {} };
}
