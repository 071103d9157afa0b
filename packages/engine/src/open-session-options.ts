import type { CallOptions } from "@anyrunner/core";
import type { ClientMetadata } from "@anyrunner/protocol";

import type { AttachableSettings } from "./attachables/index.ts";
import type { Clock } from "./retry.ts";
import type { TelemetryBatchListener, TelemetryListener } from "./telemetry/batch.ts";

/** What a session is opened with; `signal` cancels the opening, and not the session. */
export interface OpenSessionOptions extends CallOptions {
  /** What the client's surroundings say: the trace to go on with, the agent of ssh, and what `env://` secrets may read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The directory that relative host paths start from, absolute. */
  readonly cwd: string;
  /** Version that the client states; it selects the schema view. Default: the engine's own. */
  readonly clientVersion?: string | undefined;
  /** Words about the client that the engine keeps with its telemetry. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Key of the engine's persistent copy of host directories; without it every upload starts cold. */
  readonly stableId?: string | undefined;
  /** Further fields of the client metadata (engine protocol 4.5). */
  readonly metadata?: Partial<ClientMetadata> | undefined;
  /** What the engine may ask of this machine: credentials, secrets, files. */
  readonly attachables?: Partial<AttachableSettings> | undefined;
  /** Receives the spans, logs and metrics of the session. Without it no telemetry is fetched. */
  readonly onTelemetry?: TelemetryListener | undefined;
  /** Receives the same as whole OTLP export requests. */
  readonly onTelemetryBatch?: TelemetryBatchListener | undefined;
  /** How long an engine that is not ready is tried again, in ms. Default 60,000. */
  readonly connectBudgetMs?: number | undefined;
  /** How long the engine may take to end the session, telemetry included, in ms. Default 10,000. */
  readonly shutdownBudgetMs?: number | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
}
