import { GrpcError, GrpcStatus } from "@anyrunner/protocol";

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 };

/** A duration as Go writes it (`90s`, `1h30m`), in ms; undefined for none. Fails with INVALID_ARGUMENT. */
export function parseTtl(text: string | null): number | undefined {
  const trimmed = text?.trim() ?? "";
  if (trimmed === "") return undefined;
  if (trimmed === "0") return 0;
  const parts = [...trimmed.matchAll(/(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)/g)];
  if (parts.map(([part]) => part).join("") !== trimmed)
    throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, `invalid ttl "${trimmed}" of a secret; write for example 5m`);
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit ?? ""] ?? 0), 0);
}
