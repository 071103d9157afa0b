import type { LogRecord, Span } from "@anyrunner/engine";

import type { Visibility } from "./step-visibility.ts";

/** A span and what people are shown of it. */
export interface ToldStep {
  readonly span: Span;
  readonly visibility: Visibility;
  /** Its name, or the API call with its arguments. As unsafe as what comes from elsewhere. */
  readonly title: string;
}

/** Shows telemetry to people, one record at a time. */
export interface StepListener {
  step(step: ToldStep): void;
  log(log: LogRecord): void;
}
