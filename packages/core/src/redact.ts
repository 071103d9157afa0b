import type { JsonValue } from "./json.ts";

const MINIMUM_LENGTH = 3;
/** Shorter words may stand in a text by chance. */
const TELLING_LENGTH = 8;

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

function redactJson(value: JsonValue | undefined, secrets: readonly string[]): JsonValue | undefined {
  if (typeof value === "string") return redact(value, secrets);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => redactJson(item, secrets) as JsonValue);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [redact(name, secrets), redactJson(member as JsonValue, secrets)]));
}

/** Whether one of the texts stands in a value of JSON: in a text of it, or in the name of a member. A short one must be all of that. */
export function holdsText(value: unknown, texts: readonly string[], seen: Set<object> = new Set()): boolean {
  if (typeof value === "string")
    return texts.some((text) => (text.length < TELLING_LENGTH ? text.length >= MINIMUM_LENGTH && value === text : value.includes(text)));
  if (typeof value !== "object" || value === null || seen.has(value)) return false;
  seen.add(value);
  return Object.entries(value).some(([name, member]) => holdsText(name, texts) || holdsText(member, texts, seen));
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
