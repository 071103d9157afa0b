import type { ResolvedImage } from "../executor/executor.ts";
import type { Call } from "../plan/call.ts";
import type { InFlight } from "../plan/shared.ts";
import type { Planner } from "../plan/planner.ts";
import type { Executor, ExecutorFacts } from "../executor/executor.ts";
import type { HostClient } from "../host/host-client.ts";
import type { BlobStore } from "../tree/blob-store.ts";
import type { ObjectRegistry } from "../values/object-registry.ts";

/** What all sessions of one engine share. */
export interface EngineParts {
  readonly executor: Executor;
  readonly facts: ExecutorFacts;
  readonly planner: Planner;
  readonly store: BlobStore;
  /** Key for values that cache keys must not tell. */
  readonly localKey: Uint8Array;
}

/** What the queries of one session share. */
export interface SessionParts {
  readonly objects: ObjectRegistry;
  /** Calls that run now, by key. */
  readonly calls: InFlight<unknown>;
  /** Values of `setSecret` by name; setting one again changes it for ids given out before. */
  readonly secrets: Map<string, Uint8Array>;
  /** An image name means the same image for the whole session. */
  readonly images: Map<string, Promise<ResolvedImage>>;
}

/** Everything that the fields of one query work with. */
export interface QueryContext {
  readonly engine: EngineParts;
  readonly session: SessionParts;
  /** The machine of the client that asks. */
  readonly host: HostClient;
  readonly clientId: string;
  readonly call: Call;
}
