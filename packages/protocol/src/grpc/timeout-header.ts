const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** The value of `grpc-timeout` for `timeoutMs`: at most eight digits and a unit. */
export function formatGrpcTimeout(timeoutMs: number): string {
  const ms = Math.max(0, Math.ceil(timeoutMs));
  if (ms < 1e8) return `${ms}m`;
  if (ms < 1e11) return `${Math.ceil(ms / 1_000)}S`;
  return `${Math.min(99_999_999, Math.ceil(ms / 3_600_000))}H`;
}

/** Milliseconds that a `grpc-timeout` header gives, or undefined where it says nothing usable. */
export function parseGrpcTimeout(header: string | undefined): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(header ?? "");
  return match === null ? undefined : Number(match[1]) * (UNIT_MS[match[2] ?? ""] ?? NaN);
}
