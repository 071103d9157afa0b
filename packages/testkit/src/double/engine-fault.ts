import type { Duplex } from "node:stream";

import type { GrpcStatusName } from "@anyrunner/protocol";

/**
 * Where the engine stands when a fault strikes it:
 * `stream` a new stream, before its first byte is read · `info` Control/Info · `upgrade` the request of `/sessionAttachables`, before its
 * answer · `attached` a call from the engine to the client · `query` a GraphQL request that was read, before it is executed ·
 * `answer` between the halves of an answer to it · `telemetry` an event stream, after its first event · `shutdown`.
 */
export type FaultPoint = "stream" | "info" | "upgrade" | "attached" | "query" | "answer" | "telemetry" | "shutdown";

/**
 * - `hang`: nothing more happens there, until the client gives up.
 * - `cut`: the stream is destroyed.
 * - `die`: every stream is destroyed and nothing listens any more, as if the engine was killed.
 * - `{ wait }`: goes on when the promise resolves.
 * - `{ bytes }`: these are all that the stream gives; then it ends. Meant for `stream`: what a relay prints instead of the engine.
 * - `{ status, text }`: an HTTP error in the engine's form. Not for `stream`, `info` and `attached`.
 * - `{ grpc, message }`: a gRPC status. For `info`.
 */
export type FaultAction =
  | "hang"
  | "cut"
  | "die"
  | { readonly wait: Promise<unknown> }
  | { readonly bytes: string | Uint8Array }
  | { readonly status: number; readonly text: string }
  | { readonly grpc: GrpcStatusName; readonly message: string };

/** One way in which the double fails. Several at one point strike in their order. */
export interface EngineFault {
  readonly at: FaultPoint;
  readonly action: FaultAction;
  /** How often it strikes; default always. */
  readonly times?: number;
  /** How many arrivals at the point pass unharmed before. Default 0. */
  readonly skip?: number;
}

/** A refusal that the caller of `meet` has to answer with. */
export type Refusal = { readonly status: number; readonly text: string } | { readonly grpc: GrpcStatusName; readonly message: string };

/** What a fault may do to the engine. */
export interface FaultTarget {
  readonly stream: Duplex;
  /** Destroys every stream and stops listening. */
  kill(): void;
}

export interface FaultPlan {
  /** Replaces what is planned and starts counting anew. */
  plan(faults: readonly EngineFault[]): void;
  /** Lets due faults strike. Resolves with a refusal to send, or undefined to go on; never, where the client must notice itself. */
  meet(at: FaultPoint, target: FaultTarget): Promise<Refusal | undefined>;
}

export function createFaultPlan(faults: readonly EngineFault[]): FaultPlan {
  let planned = faults.map((fault) => ({ fault, met: 0 }));
  return {
    plan(next) {
      planned = next.map((fault) => ({ fault, met: 0 }));
    },
    async meet(at, target) {
      for (const entry of planned.filter(({ fault }) => fault.at === at)) {
        const turn = entry.met++ - (entry.fault.skip ?? 0);
        if (turn < 0 || turn >= (entry.fault.times ?? Number.POSITIVE_INFINITY)) continue;
        const refusal = await strike(entry.fault.action, target);
        if (refusal !== undefined) return refusal;
      }
      return undefined;
    },
  };
}

const NEVER = new Promise<never>(() => {});

async function strike(action: FaultAction, target: FaultTarget): Promise<Refusal | undefined> {
  if (action === "hang") return NEVER;
  if (action === "cut") {
    target.stream.destroy();
    return NEVER;
  }
  if (action === "die") {
    target.kill();
    return NEVER;
  }
  if ("wait" in action) {
    await action.wait;
    return undefined;
  }
  if ("bytes" in action) {
    target.stream.write(action.bytes);
    target.stream.end();
    target.stream.resume();
    return NEVER;
  }
  return action;
}
