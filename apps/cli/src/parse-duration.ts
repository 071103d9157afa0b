import { RunnerError } from "@anyrunner/core";

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** A duration as Go and the official client write it (`1m30s`, `500ms`; a bare number is seconds), in ms. Fails with USAGE. */
export function parseDuration(text: string, name: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new RunnerError("USAGE", `${name} is no duration: "${text}"`, { hint: "write for example 10s or 1m30s" });
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit ?? ""] ?? 0), 0);
}
