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

interface Span {
  readonly start: number;
  readonly end: number;
}

function spansOf(text: string, secret: string): readonly Span[] {
  const spans: Span[] = [];
  for (let start = text.indexOf(secret); start >= 0; start = text.indexOf(secret, start + 1)) spans.push({ start, end: start + secret.length });
  return spans;
}
