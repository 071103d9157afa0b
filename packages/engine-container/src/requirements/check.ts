/** One thing that was looked at. */
export interface Check {
  /** Stable, for programs: `host.port`. */
  readonly id: string;
  readonly status: "ok" | "warning" | "failed" | "skipped";
  /** What was seen, and where it came from; for a failure the reason. */
  readonly detail: string;
  /** What to do about it, imperative. */
  readonly remedy?: string | undefined;
  /** How long it took, in ms, where that tells something. */
  readonly ms?: number | undefined;
}
