import { RunnerError, throwIfAborted, type CallOptions, type ProbeResult, type RunnerHandle } from "@anyrunner/core/driver";

import { runners } from "./in-memory.ts";
import type { EchoTarget } from "./target.ts";

/** A runner that exists: plain JSON, which another process may use tomorrow. Paths to credentials, never credentials. */
export interface EchoHandle extends RunnerHandle {
  readonly endpoint: { readonly address: string };
}

/** Says whether the runner is there. That it isn't is an answer, and no error. Fails with ABORTED. */
export async function probeRunner(target: EchoTarget, { signal }: CallOptions): Promise<ProbeResult> {
  throwIfAborted(signal);
  if (runners.has(addressOf(target))) return { available: true };
  return { available: false, code: "NOT_FOUND", reason: `there is no runner ${addressOf(target)}`, hint: "start it, or correct the URL" };
}

/** Finds the runner; two callers get the same `id`. Fails with NOT_FOUND, ABORTED. */
export async function findRunner(target: EchoTarget, { signal }: CallOptions): Promise<EchoHandle> {
  throwIfAborted(signal);
  const address = addressOf(target);
  if (!runners.has(address)) {
    throw new RunnerError("NOT_FOUND", `there is no runner ${address}`, { hint: "start it, or correct the URL", driver: "echo" });
  }
  return { driver: "echo", id: address, endpoint: { address }, owned: false, labels: {} };
}

function addressOf({ name, room }: EchoTarget): string {
  return `${room}/${name}`;
}
