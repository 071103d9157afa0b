const MINIMUM_LENGTH = 3;

/** Replaces every occurrence of a secret value by `***`, longest first. Values under three characters are left alone. */
export function redact(text: string, secrets: Iterable<string>): string {
  const values = [...new Set(secrets)].filter((secret) => secret.length >= MINIMUM_LENGTH).toSorted((a, b) => b.length - a.length);
  return values.reduce((result, secret) => result.replaceAll(secret, "***"), text);
}
