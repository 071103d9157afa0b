import type { CallOptions } from "@anyrunner/core";
import type { ClientMetadata } from "@anyrunner/protocol";

import type { AttachableSettings } from "./attachables/index.ts";
import type { Clock } from "./retry.ts";
import type { TelemetryBatchListener, TelemetryListener } from "./telemetry/batch.ts";

export interface OpenSessionOptions extends CallOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The directory that relative host paths start from, absolute. */
  readonly cwd: string;
  /** Version that the client states; it selects the schema view. Default: the engine's own. */
  readonly clientVersion?: string | undefined;
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
  readonly clock?: Clock | undefined;
}
