import { inspect } from "node:util";

import type { JsonValue } from "./json.ts";
import { RunnerError } from "./runner-error.ts";

const MINIMUM_LENGTH = 3;

/**
 * Replaces every occurrence of a secret value by `***`; occurrences that overlap are hidden together. Values under three
 * characters are left alone.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const spans = [...new Set(secrets)].filter((secret) => secret.length >= MINIMUM_LENGTH).flatMap((secret) => spansOf(text, secret));
  let result = "";
  let shownTo = 0;
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    if (start >= shownTo) result += `${text.slice(shownTo, start)}***`;
    shownTo = Math.max(shownTo, end);
  }
  return result + text.slice(shownTo);
}

/** A value of JSON with every text in it redacted, names of members included. */
export function redactValue<T>(value: T, secrets: readonly string[]): T {
  return secrets.length === 0 ? value : (redactJson(value as JsonValue, secrets) as T);
}

/** The same error, unless a secret shows anywhere in it, its cause included: then one that tells the rest, without a cause. */
export function redactError(error: unknown, secrets: readonly string[]): unknown {
  const shown = secrets.length === 0 ? "" : inspect(error, { depth: 8 });
  if (redact(shown, secrets) === shown) return error;
  const message = redact(error instanceof Error ? error.message : String(error), secrets);
  if (!RunnerError.is(error)) return new Error(message);
  const { code, hint, details, driver, retryable } = error;
  return new RunnerError(code, message, { hint: hint && redact(hint, secrets), details: redactValue(details, secrets), driver, retryable });
}

function redactJson(value: JsonValue | undefined, secrets: readonly string[]): JsonValue | undefined {
  if (typeof value === "string") return redact(value, secrets);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => redactJson(item, secrets) as JsonValue);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [redact(name, secrets), redactJson(member as JsonValue, secrets)]));
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function spansOf(text: string, secret: string): readonly Span[] {
  const spans: Span[] = [];
  for (let start = text.indexOf(secret); start >= 0; start = text.indexOf(secret, start + 1)) spans.push({ start, end: start + secret.length });
  return spans;
}
