import type { Reporter } from "@anyrunner/core/driver";

import type { Span } from "../telemetry/span.ts";

/** What every piece of lazy work gets from the query that asks for it. */
export interface Call {
  readonly signal: AbortSignal;
  /** The span under which the work shows. */
  readonly span?: Span | undefined;
  readonly report?: Reporter | undefined;
}

/** A value that is worked out when it is first asked for, by whoever asks. */
export type Lazy<T> = (call: Call) => Promise<T>;
